// A fix is a diff first: discarded it changes nothing, applied it is one step of undo.

import assert from "node:assert/strict";
import { until } from "../editor.mjs";

const CODE = "def is_even(number):\n    return number % 2 == 1\n";

export default async function (editor) {
  await editor.open("even.py", CODE);
  await editor.statusSoon(/ready/);
  await propose(editor);
  await editor.shot("fix");
  await editor.page.click(".editor-actions [aria-label*='Discard the Change']");
  await until("the diff is closed", async () => !(await editor.page.$(".diff-editor")), editor);
  assert.equal((await editor.lines()).join("\n"), CODE);

  await propose(editor);
  await editor.page.click(".editor-actions [aria-label*='Apply the Change']");
  await until("it is applied", async () => (await editor.lines()).join("\n") !== CODE, editor);
  await editor.page.click(".editor-instance .monaco-editor .view-lines");
  await editor.press("Control+z");
  await until("it is undone", async () => (await editor.lines()).join("\n") === CODE, editor);
}

async function propose(editor) {
  await editor.page.click(".editor-instance .monaco-editor .view-lines");
  await editor.press("Control+a");
  await editor.command("Caret: Fix");
  const box = ".quick-input-widget:has-text('What is wrong') input";
  await editor.page.fill(box, "It says True for odd numbers, but must do so for even ones.");
  await editor.press("Enter");
  await editor.page.waitForSelector(".diff-editor", { timeout: 180000 });
}
