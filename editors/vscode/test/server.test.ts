import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findOnPath, findServer, Home } from "../src/server/find";
import { progressOf, steps } from "../src/server/install";
import { completing, describe, pullProgress } from "../src/server/models";
import { Failed, run } from "../src/server/run";

const folder = () => mkdtempSync(join(tmpdir(), "caret-"));

function program(place: string, name: string): string {
  const path = join(place, name);
  writeFileSync(path, "#!/bin/sh\necho hello\necho broken >&2\nexit 3\n");
  chmodSync(path, 0o755);
  return path;
}

test("a program is found on the PATH, never in a relative folder of it", async () => {
  const place = folder();
  const path = program(place, "caret-test");
  assert.equal(await findOnPath("caret-test", `/nowhere:${place}`), path);
  process.chdir(place);
  assert.equal(await findOnPath("caret-test", ".::bin"), undefined);
});

test("the setting comes first, then a whole installation of this version", async () => {
  const home = new Home(folder(), "1.2.3");
  assert.equal(await findServer("/x/caret", home), "/x/caret");
  assert.equal(await home.isCurrent(), false);
  writeFileSync(home.stamp, "1.2.2");
  assert.equal(await home.isCurrent(), false);
  writeFileSync(home.stamp, "1.2.3");
  assert.equal(await findServer("", home), home.caret);
});

test("a failure says what the program said last", async () => {
  const lines: string[] = [];
  const path = program(folder(), "fails");
  const failed = run(path, [], { onLine: (line) => lines.push(line) });
  await assert.rejects(
    failed,
    (error) => error instanceof Failed && /(hello|broken)$/.test(error.message),
  );
  assert.deepEqual(lines.sort(), ["broken", "hello"]);
});

test("a program that is not there is a failure too", async () => {
  await assert.rejects(run("/nowhere/caret", []), Failed);
});

test("a program that is stopped is a failure", async () => {
  const stop = new AbortController();
  const running = run("sleep", ["60"], { signal: stop.signal });
  stop.abort();
  await assert.rejects(running, Failed);
});

test("uv and Python install into the same place", () => {
  const home = new Home("/home/me/server", "1");
  for (const kind of ["uv", "python"] as const) {
    const [make, install] = steps({ kind, path: `/bin/${kind}` }, home, "/x/caret.tar.gz");
    assert.ok(make?.args.includes("/home/me/server"));
    assert.equal(install?.args.at(-1), "/x/caret.tar.gz");
  }
});

test("an installer's lines become progress", () => {
  assert.equal(progressOf("Collecting torch==2.13.*"), "looking for torch");
  assert.equal(
    progressOf("  Downloading torch-2.13.0-cp311-manylinux.whl (181.5 MB)"),
    "downloading torch (181.5 MB)",
  );
  assert.equal(progressOf("Installing collected packages: a, b"), "installing");
  assert.equal(progressOf("  Using cached x.whl"), undefined);
});

test("a download's lines become progress", () => {
  const progress = pullProgress("qwen from pypi: 49.1 MB of 491.4 MB");
  assert.equal(progress?.message, "49.1 MB of 491.4 MB");
  assert.equal(Math.round(progress?.percent ?? 0), 10);
  assert.equal(pullProgress("qwen is at /x"), undefined);
});

test("models that complete are listed, those on disk first", () => {
  const all = [
    { name: "a", abilities: ["instruct"], size: 1, state: "installed" },
    { name: "b", abilities: ["infill"], size: 2e9, state: "absent" },
    { name: "c", abilities: ["infill"], size: 0, state: "installed" },
  ];
  const models = completing(JSON.stringify(all));
  assert.deepEqual(
    models.map(({ name }) => name),
    ["c", "b"],
  );
  assert.deepEqual(models.map(describe), ["on this machine", "2.0 GB, to be downloaded"]);
});

test("an environment's programs are where this system has them", () => {
  const place = folder();
  mkdirSync(join(place, "bin"));
  assert.equal(new Home(place, "1").caret, join(place, "bin", "caret"));
});
