// The engine dies: the status says so, and asking again brings another.

import assert from "node:assert/strict";
import { enginePid } from "../server.mjs";

export default async function (editor) {
  await editor.open("killed.py", "def third(number):\n    ");
  await editor.statusSoon(/ready/);
  const pid = enginePid(editor.server.options.home);
  process.kill(pid, "SIGKILL");
  await editor.type("re");
  await editor.statusSoon(/not working|loading/);
  await editor.shot("engine-killed");
  await editor.type("turn ");
  await editor.statusSoon(/ready/);
  await editor.press("Alt+\\"); // asks by hand
  await editor.ghostSoon();
  assert.notEqual(enginePid(editor.server.options.home), pid);
}
