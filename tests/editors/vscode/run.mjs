// Runs scenarios in VS Code, one after the other: `node run.mjs OPTIONS.json`. A line of JSON for each.

import { readFileSync } from "node:fs";
import { Server } from "./server.mjs";

const options = JSON.parse(readFileSync(process.argv[2], "utf8"));
const server = new Server(options);
const say = (result) => console.log(JSON.stringify(result));

async function load(name) {
  const { default: scenario, alone = false } = await import(`./scenarios/${name}.mjs`);
  return { name, scenario, alone };
}

/** Run one and tell; the window that it leaves for the next, or undefined where that needs a new one. */
async function run({ name, scenario, alone }, window) {
  const start = performance.now();
  try {
    const { told, left } = await (alone ? byItself(scenario) : inWindow(scenario, window));
    say({ name, ok: true, told, seconds: (performance.now() - start) / 1000 });
    return left;
  } catch (error) {
    say({ name, ok: false, error: `${error.stack}\n${await why(name, window ?? server.newest)}` });
    await server.closeWindows();
    return undefined;
  }
}

/** In an empty window, which it leaves empty. */
async function inWindow(scenario, window) {
  const editor = window ?? (await server.open());
  const told = await scenario(editor);
  await editor.reset();
  return { told, left: editor };
}

/** For one that opens windows of its own, with settings that would be wrong for another. */
async function byItself(scenario) {
  await server.closeWindows();
  const told = await scenario(server);
  await server.closeWindows();
  return { told };
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
  const scenarios = await Promise.all(options.scenarios.map(load));
  // Those that close the others' window come last, so that it is opened once.
  scenarios.sort((one, other) => one.alone - other.alone);
  let editor;
  for (const scenario of scenarios) {
    editor = await run(scenario, editor);
  }
} catch (error) {
  say({ name: "start", ok: false, error: `${error.stack}\n${server.written.slice(-3000)}` });
} finally {
  await server.stop();
}
