import assert from "node:assert/strict";
import { test } from "node:test";
import { Pause, toggled } from "../src/pause";

const document = (uri: string, languageId: string) => ({ uri, languageId });

test("a file is paused until it is toggled again", () => {
  const pause = new Pause(() => []);
  pause.toggleFile("file:///a.py");
  assert.equal(pause.reason(document("file:///a.py", "python")), "in this file");
  assert.equal(pause.reason(document("file:///b.py", "python")), undefined);
  pause.toggleFile("file:///a.py");
  assert.equal(pause.reason(document("file:///a.py", "python")), undefined);
});

test("a language is paused in all its files", () => {
  const pause = new Pause(() => ["markdown"]);
  assert.match(pause.reason(document("file:///a.md", "markdown")) ?? "", /markdown/);
  assert.equal(pause.reason(document("file:///a.py", "python")), undefined);
});

test("a language is put into the list and taken out", () => {
  assert.deepEqual(toggled(["go"], "python"), ["go", "python"]);
  assert.deepEqual(toggled(["go", "python"], "go"), ["python"]);
});
