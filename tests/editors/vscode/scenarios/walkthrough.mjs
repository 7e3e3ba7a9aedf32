// The walkthrough: the model is downloaded, a sample tried and code explained.
// The download has a home of its own, and the server the model of all scenarios: to pack another
// would take half a minute more.

import { join } from "node:path";
import { Hub } from "../hub.mjs";
import { until } from "../wait.mjs";

const TITLE = "Start with Caret";

export default async function (editor) {
  const { options } = editor.server;
  const hub = new Hub(join(options.home, "models", "qwen2.5-coder-0.5b.gguf"));
  const pull = {
    CARET_HOME: join(options.place, "home-new"),
    HF_ENDPOINT: await hub.start(),
    NO_PROXY: "127.0.0.1",
  };
  editor.server.program("caret", { pull });
  try {
    await download(editor, hub);
  } finally {
    hub.stop();
  }
  await sample(editor);
  await explain(editor);
  await close(editor);
}

async function download(editor, hub) {
  await editor.command("Welcome: Open Walkthrough...");
  await editor.page.click(`.quick-input-list .monaco-list-row[aria-label^="${TITLE}"]`);
  await click(editor, "model", "Download the Model");
  const progress = ".notification-list-item-message:has-text('downloading'):has-text(' of 491')";
  await editor.page.waitForSelector(progress);
  await editor.shot("walkthrough");
  hub.release();
  await editor.page.waitForSelector(progress, { state: "hidden" });
}

async function sample(editor) {
  await click(editor, "sample", "Open the Sample");
  await editor.ghostSoon();
  await editor.press("Tab");
  await until("it is taken", async () => /return \S/.test((await editor.lines()).at(-1)));
  await done(editor, "sample");
}

async function explain(editor) {
  await click(editor, "ask", "Explain the Selection");
  const panel = await editor.panel();
  await until("it is explained", async () => (await panel.textContent("article")).length > 40);
  await done(editor, "ask");
}

/** Close the sample, which has no name to be saved by. */
async function close(editor) {
  await editor.page.click(".tab[data-resource-name='Untitled-1']");
  await editor.focus();
  await editor.command("View: Revert and Close Editor");
}

/** Open a step of the walkthrough and press its button. */
async function click(editor, step, title) {
  await editor.page.click(`[data-step-id$="#${step}"] .step-title`);
  await editor.page.click(`[data-step-id$="#${step}"] .monaco-button:has-text("${title}")`);
}

/** Only for steps that a command completes: VS Code misses what was true before it made its list. */
function done(editor, step) {
  return editor.page.waitForSelector(`[data-done-step-id$="#${step}"][aria-checked=true]`);
}
