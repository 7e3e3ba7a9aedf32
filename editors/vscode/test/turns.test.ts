import assert from "node:assert/strict";
import { test } from "node:test";
import type { Turn } from "../src/answer/protocol";
import type { Answer, Question } from "../src/answer/question";
import { Turns } from "../src/answer/turns";

type Outcome = { resolve(answer: Answer): void; reject(error: Error): void; stop: AbortSignal };

const PLACE = {
  uri: "file:///a.py",
  range: { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } },
};
const question = (): Question => ({ textDocument: { uri: "file:///a.py" } });

function answer(text: string): Answer {
  return { text, conversation: "c", edit: null, applied: false, references: [PLACE] };
}

/** A conversation whose answers a test gives by hand. */
function conversation() {
  const asked: Outcome[] = [];
  const shown: Turn[] = [];
  const turns = new Turns({
    show: (index, turn) => {
      shown[index] = { ...turn };
    },
    stream: (_kind, _question, _onText, stop) =>
      new Promise((resolve, reject) => {
        asked.push({ resolve, reject, stop });
      }),
    placeName: ({ uri }) => uri,
  });
  return { turns, asked, shown };
}

test("an answer brings its places in the code", async () => {
  const { turns, asked, shown } = conversation();
  const asking = turns.ask("explain", question(), "Explain a.py");
  assert.equal(shown[0]?.state, "streaming");
  asked[0]?.resolve(answer("it adds"));
  await asking;
  assert.equal(shown[0]?.state, "done");
  assert.deepEqual(shown[0]?.references, ["file:///a.py"]);
  assert.equal(turns.reference(0, 0), PLACE);
});

test("nothing is kept of an answer that came after it was stopped", async () => {
  const { turns, asked, shown } = conversation();
  const given = question();
  const asking = turns.ask("explain", given, "Explain a.py");
  turns.stop();
  assert.ok(asked[0]?.stop.aborted);
  asked[0]?.resolve(answer("too late"));
  await asking;
  assert.equal(shown[0]?.state, "stopped");
  assert.equal(turns.reference(0, 0), undefined);
  assert.equal(given.conversation, undefined);
});

test("an answer to an older question does not reach the conversation that took its place", async () => {
  const { turns, asked, shown } = conversation();
  const older = turns.ask("explain", question(), "older");
  turns.clear();
  const newer = turns.ask("ask", question(), "newer");
  asked[0]?.resolve(answer("of the older"));
  await older;
  assert.equal(shown[0]?.question, "newer");
  assert.equal(turns.reference(0, 0), undefined);
  asked[1]?.reject(new Error("The server has ended."));
  await newer;
  assert.deepEqual([shown[0]?.state, shown[0]?.error], ["failed", "The server has ended."]);
});
