// Line ends of Windows, tabs, and letters beyond the basic plane before the caret.

import assert from "node:assert/strict";

export default async function (editor) {
  await editor.open("crlf.py", "def twice(number):\r\n    ");
  await editor.statusSoon(/ready/);
  await editor.type("return ");
  await editor.ghostSoon();
  await editor.press("Tab");
  const crlf = await editor.saved("crlf.py");
  assert.match(crlf, /return \S/);
  assert.doesNotMatch(crlf, /[^\r]\n/);

  await editor.open("tabs.go", "package main\n\nfunc add(a int, b int) int {\n\t");
  await editor.type("return ");
  await editor.ghostSoon();
  await editor.press("Tab");
  assert.match(await editor.saved("tabs.go"), /\n\treturn \S/);

  await editor.open("emoji.py", "smile = '😀😀'\ndef both(a, b):\n");
  await editor.type("    text = '😀' + str(a); return ");
  const ghost = (await editor.ghostSoon()).split("\n")[0];
  await editor.press("Tab");
  const emoji = await editor.saved("emoji.py");
  assert.ok(emoji.includes(`    text = '😀' + str(a); return ${ghost}`), emoji);
}
