// The real installation from the real source package, but without the gigabytes of its libraries.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { findServer, Home } from "../src/server/find";
import { findTool, install } from "../src/server/install";
import { Failed, run } from "../src/server/run";

const [name = "none.tar.gz"] = readdirSync("server");
const source = resolve("server", name);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

/** With the libraries of the Python that runs the tests, and no compiler. */
async function lean(): Promise<void> {
  const { path } = await findTool();
  const program = "import click; print(click.__path__[0])";
  process.env.PYTHONPATH = resolve(await run(path, ["-c", program]), "..");
  Object.assign(process.env, { PIP_NO_DEPS: "1", UV_NO_DEPS: "1", CC: "false" });
}

test("the server is installed into a folder of its own, and starts", async () => {
  await lean();
  const home = new Home(join(mkdtempSync(join(tmpdir(), "caret-")), "server"), version);
  const lines: string[] = [];
  await install(home, source, { onLine: (line) => lines.push(line) });
  const caret = await findServer("", home);
  assert.equal(caret, home.caret);
  assert.match(await run(home.caret, ["--version"]), new RegExp(`version ${version}`));
  assert.ok(lines.some((line) => line.includes("venv")));
});

test("what failed half-way does not count, and can be tried again", async () => {
  const home = new Home(join(mkdtempSync(join(tmpdir(), "caret-")), "server"), version);
  await assert.rejects(install(home, "/nowhere/caret.tar.gz", {}), Failed);
  assert.equal(await home.isCurrent(), false);
});
