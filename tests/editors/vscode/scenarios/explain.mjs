// Explain streams into the panel; the answer can be stopped, followed up, copied and inserted.

import assert from "node:assert/strict";
import { until } from "../wait.mjs";

const CODE = "def mean(numbers):\n    return sum(numbers) / len(numbers)\n";

export default async function (editor) {
  await editor.open("mean.py", CODE);
  await editor.statusSoon(/ready/);
  await editor.press("Control+a");
  await editor.command("Caret: Explain");
  const panel = await editor.panel();
  await until("the answer streams", async () => (await answer(panel)).length > 40);
  await panel.click("#send"); // it says Stop
  await panel.waitForSelector("section.stopped .note");
  const stopped = await answer(panel);

  await panel.fill("#question", "Write the same function in one line of Python, as a lambda.");
  await panel.press("#question", "Enter");
  await panel.waitForSelector("section:nth-of-type(2).done");
  assert.equal(await answer(panel), stopped);
  await editor.shot("explain");

  const wishes = await panel.$$("[data-do=insert]");
  assert.ok(wishes.length > 0, await panel.textContent("#turns"));
  const code = (await panel.textContent("figure code")).trimEnd();
  await panel.click("[data-do=copy]");
  await until("the code is copied", async () => (await copied(editor)).trimEnd() === code);
  await wishes[0].click();
  await until("the code is inserted", async () => {
    const [first] = code.split("\n");
    return (await editor.lines()).some((line) => line.includes(first));
  });
}

function copied(editor) {
  return editor.page.evaluate(() => navigator.clipboard.readText());
}

function answer(panel) {
  return panel.$eval("section article", (node) => node.textContent);
}
