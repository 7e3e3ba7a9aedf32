// The engine dies: the status says so, a new one comes, and so do suggestions.

import assert from "node:assert/strict";
import { enginePid } from "../editor.mjs";

export default async function (editor) {
  await editor.open("killed.py", "def third(number):\n");
  await editor.statusSoon(/ready/);
  const pid = enginePid(editor.server);
  process.kill(pid, "SIGKILL");
  await editor.type("    ");
  await editor.statusSoon(/not working|loading/);
  await editor.shot("engine-killed");
  await editor.statusSoon(/ready/);
  assert.notEqual(enginePid(editor.server), pid);
  await editor.type("return ");
  await editor.ghostSoon();
}
