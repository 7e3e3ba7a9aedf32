// From an empty line to code that the model wrote, saved on disk; taking it is one step of undo.

import assert from "node:assert/strict";
import { until } from "../wait.mjs";

export default async function (editor) {
  await editor.open("area.py", "def area(width, height):\n    ");
  await editor.statusSoon(/ready/);
  await editor.type("return ");
  const ghost = await editor.ghostSoon();
  await editor.press("Tab");
  const text = await editor.saved("area.py");
  assert.match(text, /return \S/);
  assert.ok(text.trimEnd().endsWith(ghost.trimEnd()), `${JSON.stringify(ghost)} is not in ${text}`);
  await editor.press("Control+z");
  await until("it is undone", async () => (await editor.lines()).at(-1).trim() === "return");
}
