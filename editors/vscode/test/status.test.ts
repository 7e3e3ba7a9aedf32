import assert from "node:assert/strict";
import { test } from "node:test";
import { type Facts, shown, speed } from "../src/status";

const READY: Facts = {
  status: { state: "ready", message: "", model: "qwen" },
  cost: { completion_tokens: 20, decode_ms: 400 },
  latency: 85.4,
  paused: undefined,
};

test("the item shows the model, the speed and the last latency", () => {
  const { text, tooltip, kind } = shown(READY);
  assert.equal(text, "$(sparkle) Caret");
  assert.equal(tooltip, "**Caret**: ready · qwen\n\n50 tokens/s, last suggestion after 85 ms");
  assert.equal(kind, "plain");
});

test("an error stands out, with what the server says to do", () => {
  const status = { state: "error", message: "The disk is full.", model: "qwen" } as const;
  const { tooltip, kind } = shown({ ...READY, status });
  assert.match(tooltip, /not working · qwen\n\nThe disk is full\./);
  assert.equal(kind, "error");
});

test("a pause is seen and explained", () => {
  const { text, tooltip } = shown({ ...READY, paused: "in this file" });
  assert.equal(text, "$(debug-pause) Caret");
  assert.match(tooltip, /Paused in this file\./);
});

test("without a server there is a warning", () => {
  assert.equal(shown({ ...READY, status: undefined }).kind, "warning");
});

test("one token has no speed", () => {
  const cost = { completion_tokens: 1, decode_ms: 0 };
  assert.equal(speed({ ...READY, cost, latency: undefined }), "");
});
