// A second window asks the same engine.

import assert from "node:assert/strict";
import { enginePid } from "../editor.mjs";

export default async function (editor) {
  const before = enginePid(editor.server);
  const second = await editor.server.open();
  await second.open("second.py", "def half(number):\n");
  await second.statusSoon(/ready/);
  await second.type("    return ");
  await second.ghostSoon();
  assert.equal(enginePid(editor.server), before);
  await second.page.context().close();
}
