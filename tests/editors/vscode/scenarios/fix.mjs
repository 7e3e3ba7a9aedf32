// A change is a diff first: discarded it changes nothing, applied it is one step of undo. One is
// asked for by the light bulb, one by a command.

import assert from "node:assert/strict";
import { until } from "../wait.mjs";

const CODE = "def is_even(number):\n    return number % 2 == 1\n";
const DIFF = ".monaco-diff-editor";

export default async function (editor) {
  await editor.open("even.py", CODE);
  await editor.statusSoon(/ready/);
  await document(editor);
  await decide(editor, "Discard the Change");
  assert.equal(await text(editor), CODE);

  await fix(editor);
  await editor.shot("fix");
  await decide(editor, "Apply the Change");
  await until("it is applied", async () => (await text(editor)) !== CODE);
  await editor.focus();
  await editor.press("Control+z");
  await until("it is undone", async () => (await text(editor)) === CODE);
}

async function document(editor) {
  const row = editor.page.locator(".action-widget .monaco-list-row:has-text('Document')");
  // On a busy machine a menu comes and goes, or the key gets lost: a person presses it again.
  await until("the menu has it", async () => {
    await editor.focus();
    await editor.press("Escape", "Control+Home", "Control+.");
    return row.waitFor({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
  });
  await row.click();
  await editor.page.waitForSelector(`${DIFF} .line-insert`);
}

async function fix(editor) {
  await editor.focus();
  await editor.press("Control+a");
  await editor.command("Caret: Fix");
  const box = ".quick-input-widget:has-text('What is wrong') input";
  await editor.page.fill(box, "It says True for odd numbers, but must do so for even ones.");
  await editor.press("Enter");
  await editor.page.waitForSelector(`${DIFF} .line-insert`);
}

async function decide(editor, title) {
  await editor.page.click(`.editor-actions [aria-label*='${title}']`);
  await editor.page.waitForSelector(DIFF, { state: "hidden" });
}

async function text(editor) {
  return (await editor.lines()).join("\n");
}
