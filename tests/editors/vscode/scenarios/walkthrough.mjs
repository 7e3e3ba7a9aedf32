// The walkthrough on a machine without a model: download it, try it in a sample, ask about code.

import { join } from "node:path";
import { Hub } from "../hub.mjs";
import { enginePid } from "../server.mjs";
import { until } from "../wait.mjs";

export const alone = true;
const TITLE = "Start with Caret";

export default async function (server) {
  const home = join(server.options.place, "home-new");
  const hub = new Hub(join(server.options.home, "models", "qwen2.5-coder-0.5b.gguf"));
  try {
    const environment = { CARET_HOME: home, HF_ENDPOINT: await hub.start(), NO_PROXY: "127.0.0.1" };
    const program = server.program("caret-new", environment);
    const folder = server.folder("new", { "caret.vscode.serverPath": program });
    await follow(await server.open({ folder }), hub);
  } finally {
    hub.stop();
    process.kill(enginePid(home));
  }
}

async function follow(editor, hub) {
  await editor.command("Welcome: Open Walkthrough...");
  await editor.page.click(`.quick-input-list .monaco-list-row[aria-label^="${TITLE}"]`);
  await done(editor, "server");

  await click(editor, "model", "Download the Model");
  const said = ".notification-list-item-message";
  await editor.page.waitForSelector(`${said}:has-text("downloading the model"):has-text(" of 491")`);
  await editor.shot("walkthrough");
  hub.release();
  await done(editor, "model");

  await click(editor, "sample", "Open the Sample");
  await editor.ghostSoon();
  await editor.press("Tab");
  await until("it is taken", async () => /return \S/.test((await editor.lines()).at(-1)));
  await done(editor, "sample");

  await click(editor, "ask", "Explain the Selection");
  const panel = await editor.panel();
  await until("it is explained", async () => (await panel.textContent("article")).length > 40);
  await done(editor, "ask");
}

/** Open a step of the walkthrough and press its button. */
async function click(editor, step, title) {
  await editor.page.click(`[data-step-id$="#${step}"] .step-title`);
  await editor.page.click(`[data-step-id$="#${step}"] .monaco-button:has-text("${title}")`);
}

function done(editor, step) {
  return editor.page.waitForSelector(`[data-done-step-id$="#${step}"][aria-checked=true]`);
}
