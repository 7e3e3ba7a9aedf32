// A second window asks the same engine, and so has its first suggestion soon.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { enginePid } from "../server.mjs";

const FILE = "second.py";

export default async function (editor) {
  const { server } = editor;
  await editor.statusSoon(/ready/);
  const before = enginePid(server.options.home);
  writeFileSync(join(server.workspace, FILE), "def half(number):\n    return ");
  const start = performance.now();
  const passed = () => ((performance.now() - start) / 1000).toFixed(1);
  const second = await server.open({ file: FILE });
  const extension = passed();
  await second.atEnd(FILE);
  await second.statusSoon(/ready/);
  const ready = passed();
  await second.type("n");
  await second.ghostSoon();
  const ghost = passed();
  const status = await second.statusSoon(/last suggestion after \d+ ms/);
  assert.equal(enginePid(server.options.home), before);
  await second.close();
  const [last] = status.match(/last suggestion after \d+ ms/);
  return `from opening a window ${extension} s to the extension, ${ready} s to a ready server, ${ghost} s to the first ghost text (${last}; the editor waits 50 ms)`;
}
