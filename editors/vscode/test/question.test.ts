import assert from "node:assert/strict";
import { test } from "node:test";
import { further, versionOf } from "../src/answer/question";

const uri = "file:///a.py";
const at = { line: 1, character: 0 };
const range = { start: at, end: at };

test("a further question is about the document as it is by then", () => {
  const first = {
    textDocument: { uri, version: 3 },
    range,
    diagnostics: [{}],
    text: "Traceback",
    instruction: "Why?",
    conversation: "c",
  };
  assert.deepEqual(further(first, "And now?"), {
    textDocument: { uri },
    range,
    conversation: "c",
    instruction: "And now?",
  });
});

test("an edit is for one version of a document", () => {
  const create = { kind: "create" as const, uri };
  const change = (version: number | null) => ({ textDocument: { uri, version }, edits: [] });
  assert.equal(versionOf({ documentChanges: [change(7)] }), 7);
  assert.equal(versionOf({ documentChanges: [create, change(null)] }), undefined);
  assert.equal(versionOf({ changes: { [uri]: [] } }), undefined);
});
