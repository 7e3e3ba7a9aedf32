// Word by word, line by line, then all of it; one undo takes back what one key took.

import assert from "node:assert/strict";
import { until } from "../wait.mjs";

const STUB = "def largest(numbers):\n    best = numbers[0]\n    for number in numbers:\n";

export default async function (editor) {
  await editor.open("largest.py", STUB);
  await editor.statusSoon(/ready/);
  await editor.type("        ");
  const ghost = await editor.ghostSoon();
  await editor.shot("ghost-text");

  await editor.press("Control+ArrowRight");
  const word = await until("a word is taken", () => taken(editor));
  assert.ok(ghost.startsWith(word) && word.length < ghost.length, `${word} of ${ghost}`);

  await editor.press("Control+Alt+ArrowRight");
  const line = ghost.split("\n")[0];
  await until("the line is taken", async () => (await taken(editor)) === line.trimEnd());

  await editor.press("Escape", "Control+z");
  await until("the line is given back", async () => (await taken(editor)) === word.trimEnd());
  await editor.press("Control+z");
  await until("the word is given back", async () => (await taken(editor)) === "");
}

/** What stands behind the indentation in the fourth line. */
async function taken(editor) {
  return ((await editor.lines())[3] ?? "").slice(8).trimEnd();
}
