// Asked by hand there are several suggestions: the next one, and the first again.

import { until } from "../wait.mjs";

export default async function (editor) {
  await editor.open("nameless.py", "def ():\n    pass\n");
  await editor.statusSoon(/ready/);
  await editor.press("Control+Home", "Control+ArrowRight", "ArrowRight", "Alt+\\");
  const first = await editor.ghostSoon();
  await turn(editor, "Alt+]", (ghost) => ghost !== first);
  await turn(editor, "Alt+[", (ghost) => ghost === first);
}

/** Press a key, which asks anew, until what is shown is wanted: a slow machine has one at first. */
function turn(editor, key, wanted) {
  return until(`another by ${key}`, async () => {
    await editor.press(key);
    return wanted(await editor.ghostSoon());
  });
}
