// A second window asks the same engine, and so has its first suggestion soon.

import assert from "node:assert/strict";
import { enginePid } from "../editor.mjs";

export default async function (editor) {
  await editor.statusSoon(/ready/);
  const before = enginePid(editor.server);
  const start = performance.now();
  const second = await editor.server.open();
  await second.open("second.py", "def half(number):\n    return ");
  await second.statusSoon(/ready/);
  await second.type("n");
  await second.ghostSoon();
  const ms = Math.round(performance.now() - start);
  const status = await second.statusSoon(/last suggestion after \d+ ms/);
  assert.equal(enginePid(editor.server), before);
  await second.close();
  const [last] = status.match(/last suggestion after \d+ ms/);
  return `${ms} ms from opening a window to its first ghost text (${last}; the editor waits 50 ms)`;
}
