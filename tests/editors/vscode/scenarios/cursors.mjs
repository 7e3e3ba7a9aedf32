// Two carets: what one key takes stands at both, and one key gives it back.

import { until } from "../wait.mjs";

const CODE = "def add(a, b):\n    return _\n\n\ndef plus(a, b):\n    return _";

export default async function (editor) {
  await editor.open("cursors.py", CODE);
  await editor.statusSoon(/ready/);
  await editor.press("Shift+ArrowLeft", "Control+Shift+l"); // selects every _
  await editor.type("a");
  await both(editor, "a");
  const ghost = await editor.ghostSoon(); // drawn at each caret
  const half = ghost.slice(0, ghost.length / 2);
  await editor.press("Tab");
  await both(editor, `a${half}`);
  await editor.press("Control+z");
  await both(editor, "a");
}

/** Wait until both functions return this. */
function both(editor, text) {
  return until(`${text} at both carets`, async () => {
    const lines = await editor.lines();
    return [lines[1], lines[5]].every((line) => line?.trimEnd() === `    return ${text}`);
  });
}
