import assert from "node:assert/strict";
import { test } from "node:test";
import { applied } from "../src/answer/edits";
import { page } from "../src/answer/page";
import { isWish } from "../src/answer/protocol";
import { heading, prompt } from "../src/answer/question";
import { render } from "../src/answer/render";

test("code is coloured, and has its buttons", () => {
  const html = render("Look:\n\n```python\nreturn 1\n```\n");
  assert.match(html, /<span class="hljs-keyword">return<\/span>/);
  assert.match(html, /data-do="copy".*data-do="insert"/);
});

test("a block that is still streaming is code already", () => {
  assert.match(render("```python\nx = 1"), /<figure>.*<code>x = /s);
});

for (const hostile of [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "![](https://example.com/x.png)",
  "[x](javascript:alert(1))",
  '```python"><script>\n</code><script>alert(1)</script>\n```',
]) {
  test(`no script and nothing remote comes of ${JSON.stringify(hostile)}`, () => {
    assert.doesNotMatch(render(hostile), /<(script|img)|href="javascript/i);
  });
}

test("the page loads nothing and runs its own script only", () => {
  const html = page("run()", "p{}", "N0");
  assert.match(html, /default-src 'none'; script-src 'nonce-N0'; style-src 'nonce-N0'"/);
  assert.doesNotMatch(html, /https?:/);
});

test("messages that are not the page's are ignored", () => {
  assert.ok(isWish({ do: "ask", text: "why?" }));
  assert.ok(isWish({ do: "stop" }));
  for (const other of [null, 1, {}, { do: "run" }, { do: "ask" }, { do: "open", index: "0" }]) {
    assert.equal(isWish(other), false);
  }
});

test("edits are made in their order in the text", () => {
  const edits = [
    { start: 6, end: 7, text: "x" },
    { start: 0, end: 0, text: "# 😀\n" },
  ];
  assert.equal(applied("a = b\nc\n", edits), "# 😀\na = b\nx\n");
});

test("a heading names the place", () => {
  const range = { start: { line: 0, character: 0 }, end: { line: 2, character: 0 } };
  const question = { textDocument: { uri: "file:///a.py" }, range };
  assert.equal(heading("explain", "a.py", question), "Explain a.py, lines 1 to 2");
  assert.equal(heading("ask", "a.py", { ...question, instruction: "Why?" }), "Why?");
});

test("a fix needs a diagnostic, or words", () => {
  const question = { textDocument: { uri: "file:///a.py" } };
  assert.match(prompt("fix", question) ?? "", /wrong/);
  assert.equal(prompt("fix", { ...question, diagnostics: [{}] }), undefined);
  assert.equal(prompt("fix", { ...question, instruction: "It is odd." }), undefined);
  assert.equal(prompt("explain", question), undefined);
});
