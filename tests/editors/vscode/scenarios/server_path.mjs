// Which program is the server: the user's choice, which can be put right, and never a folder's own.

import assert from "node:assert/strict";
import { join } from "node:path";
import { until } from "../wait.mjs";

export const alone = true;
const ELSEWHERE = "http://127.0.0.1:9"; // nothing listens there: whoever asks it gets no suggestion

export default async function (server) {
  const program = server.program("caret-of-the-folder");
  const folder = server.folder("hostile", {
    "caret.vscode.serverPath": program,
    "caret.fim.endpoint": ELSEWHERE,
    // Two ways to write the same that VS Code merges without a look at the scope.
    "caret.vscode": { serverPath: program },
    caret: { fim: { endpoint: ELSEWHERE, model: "other" }, vscode: { serverPath: program } },
  });
  const editor = await server.open({ folder }); // which is trusted
  await editor.open("cube.py", "def cube(number):\n    return ");
  await editor.statusSoon(/ready/);
  await editor.type("n");
  await editor.ghostSoon();
  await editor.shot("hostile");
  assert.deepEqual(server.runs(program), []);

  server.choose("/nowhere/caret");
  await editor.statusSoon(/does not run/);
  server.choose(program);
  await until("the user's program runs", () => server.runs(program).length > 0);
  await editor.statusSoon(/ready/);

  // Whoever writes to an open folder would decide what runs: the user is asked about that, once.
  const inside = server.program(join("hostile", "caret"));
  server.choose(inside);
  await editor.statusSoon(/does not run/);
  await editor.page.click(".notification-list-item :text('Start It')");
  await editor.statusSoon(/ready/);
  assert.ok(server.runs(inside).length > 0);
  server.choose(server.program());
}
