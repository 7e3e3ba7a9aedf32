// The editor's own menu is open: Tab takes what it has selected, once, and suggestions go on.

import { until } from "../wait.mjs";

export default async function (editor) {
  await editor.open("popup.py", "price_gross = 1\nprice_net = 2\n\n\ndef total():\n");
  await editor.statusSoon(/ready/);
  await editor.type("    return price");
  await editor.ghostSoon();
  await editor.press("Control+Space");
  const selected = ".suggest-widget.visible .monaco-list-row.focused .label-name";
  await editor.page.waitForSelector(selected);
  const word = await editor.page.textContent(selected);
  await editor.press("Tab");
  const taken = `    return ${word}`;
  await until("the word is taken", async () => (await editor.lines()).at(-1).trimEnd() === taken);
  await editor.type(" + ");
  await editor.ghostSoon();
}
