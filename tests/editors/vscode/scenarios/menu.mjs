// The menu in the status bar, and pausing in a file.

import assert from "node:assert/strict";
import { pause } from "../wait.mjs";

export default async function (editor) {
  await editor.open("paused.py", "def cube(number):\n");
  await editor.statusSoon(/ready/);
  await editor.page.click(".statusbar-item[id*='caret.status']");
  await editor.page.waitForSelector(".quick-input-list .monaco-list-row");
  await editor.shot("menu");
  const rows = await editor.page.$$eval(".quick-input-list .monaco-list-row", (all) =>
    all.map((row) => row.getAttribute("aria-label")).join("\n"),
  );
  for (const what of [/Pause in This File/, /Switch the Model/, /Restart the Engine/, /Check This/]) {
    assert.match(rows, what);
  }
  await editor.press("Enter");
  await editor.statusSoon(/Paused in this file/);
  await editor.focus();
  await editor.type("    return ");
  await pause(1500);
  assert.equal((await editor.ghost()).trim(), "");
  await editor.command("Caret: Pause or Resume in This File");
  await editor.statusSoon(/^(?!.*Paused).*ready/s);
  await editor.type("n");
  await editor.ghostSoon();
  await editor.statusSoon(/last suggestion after \d+ ms/);
  await editor.press("Escape");
  await editor.command("Caret: Show the Log");
  await editor.page.waitForSelector(".tab.active[data-resource-name='lsp.log']");
}
