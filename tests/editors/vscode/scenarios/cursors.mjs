// Two carets: what one key takes stands at both, and one key gives it back.

import assert from "node:assert/strict";
import { until } from "../editor.mjs";

const CODE = "import math\n\none = math.sqrt\ntwo = math.sqrt";

export default async function (editor) {
  await editor.open("cursors.py", CODE);
  await editor.statusSoon(/ready/);
  await editor.press("Shift+Alt+ArrowUp");
  await editor.type("(");
  const ghost = (await editor.ghostSoon()).split("\n")[0].trimEnd();
  const typed = await ends(editor);
  assert.deepEqual(typed, ["(", "("]);
  await editor.press("Tab");
  const wanted = [`(${ghost}`, `(${ghost}`];
  await until("it stands at both", async () => same(await ends(editor), wanted));
  await editor.press("Control+z");
  await until("it is given back", async () => same(await ends(editor), typed));
}

/** What stands behind "sqrt" in the third and the fourth line. */
async function ends(editor) {
  return (await editor.lines()).slice(2, 4).map((line) => line.split("sqrt")[1]?.trimEnd());
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
