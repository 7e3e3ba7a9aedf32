// Runs scenarios in one window of VS Code: `node run.mjs OPTIONS.json`. A line of JSON for each.

import { readFileSync } from "node:fs";
import { Server } from "./editor.mjs";

const options = JSON.parse(readFileSync(process.argv[2], "utf8"));
const server = new Server(options);
const say = (result) => console.log(JSON.stringify(result));

try {
  await server.start();
  const editor = await server.open();
  for (const name of options.scenarios) {
    const start = Date.now();
    const { default: scenario } = await import(`./scenarios/${name}.mjs`);
    try {
      await scenario(editor);
      say({ name, ok: true, seconds: (Date.now() - start) / 1000 });
    } catch (error) {
      await editor.shot(`failed-${name}`);
      say({ name, ok: false, error: error.stack });
    }
    await editor.reset();
  }
} catch (error) {
  say({ name: "start", ok: false, error: `${error.stack}\n${server.written.slice(-3000)}` });
} finally {
  await server.stop();
}
