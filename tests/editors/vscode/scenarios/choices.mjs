// Asked by hand there are several suggestions: the next one, and the first again.

import { until } from "../wait.mjs";

export default async function (editor) {
  await editor.open("nameless.py", "def ():\n    pass\n");
  await editor.statusSoon(/ready/);
  await editor.press("Control+Home", "Control+ArrowRight", "ArrowRight", "Alt+\\");
  const first = await editor.ghostSoon();
  await until("another by Alt+]", async () => {
    await editor.press("Alt+]");
    if ((await editor.ghostSoon()) !== first) return true;
    // A busy machine had time for one only: it finds more when it is asked again.
    await editor.press("Escape", "Alt+\\");
    await editor.ghostSoon();
    return false;
  });
  await until("the first by Alt+[", async () => {
    await editor.press("Alt+[");
    return (await editor.ghostSoon()) === first;
  });
}
