// Which program is the server: a folder's choice counts once it is trusted, and can be put right.

import assert from "node:assert/strict";
import { until } from "../wait.mjs";

export const alone = true;
const TRUST = {
  "security.workspace.trust.enabled": true,
  "security.workspace.trust.startupPrompt": "never",
};

export default async function (server) {
  const program = server.program("caret-untrusted");
  const chosen = (path) => server.folder("untrusted", { "caret.vscode.serverPath": path });
  const folder = chosen(program);
  const editor = await server.open({ folder, settings: TRUST });
  await editor.open("cube.py", "def cube(number):\n    return ");
  await editor.statusSoon(/ready/); // the program that the user's own settings name
  await editor.type("n");
  await editor.ghostSoon();
  await editor.shot("untrusted");
  assert.deepEqual(server.runs(program), []);

  await editor.command("Workspaces: Manage Workspace Trust");
  await editor.page.click(".workspace-trust-buttons .monaco-button");
  await until("the folder's program runs", () => server.runs(program).length > 0);
  await editor.statusSoon(/ready/);
  assert.equal(server.runs(program).length, 1);

  chosen("/nowhere/caret");
  await editor.statusSoon(/does not run/);
  chosen(program);
  await editor.statusSoon(/ready/);
}
