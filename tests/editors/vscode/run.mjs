// Runs scenarios in VS Code, one after the other: `node run.mjs OPTIONS.json`. A line of JSON for each.

import { readFileSync } from "node:fs";
import { Server } from "./editor.mjs";

const options = JSON.parse(readFileSync(process.argv[2], "utf8"));
const server = new Server(options);
const say = (result) => console.log(JSON.stringify(result));

/** Run one in an empty window; the window, or undefined where the next needs a new one. */
async function run(name, window) {
  const start = performance.now();
  let editor = window;
  try {
    editor ??= await server.open();
    const { default: scenario } = await import(`./scenarios/${name}.mjs`);
    const told = await scenario(editor);
    await editor.reset();
    say({ name, ok: true, told, seconds: (performance.now() - start) / 1000 });
    return editor;
  } catch (error) {
    say({ name, ok: false, error: `${error.stack}\n${await why(name, editor ?? server.newest)}` });
    await server.closeWindows();
    return undefined;
  }
}

/** What the window and the server say about a failure. */
async function why(name, editor) {
  try {
    await editor.shot(`failed-${name}`);
    return JSON.stringify(await editor.seen());
  } catch (error) {
    return `${error.message}\n${server.written.slice(-3000)}`;
  }
}

try {
  await server.start();
  let editor;
  for (const name of options.scenarios) {
    editor = await run(name, editor);
  }
} catch (error) {
  say({ name: "start", ok: false, error: `${error.stack}\n${server.written.slice(-3000)}` });
} finally {
  await server.stop();
}
