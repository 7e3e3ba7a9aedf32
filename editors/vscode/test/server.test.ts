import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { expanded, findServer, Home } from "../src/server/find";
import { progressOf, steps } from "../src/server/install";
import { completing, describe, pullProgress } from "../src/server/models";
import { Failed, Programs } from "../src/server/run";

const folder = () => realpathSync(mkdtempSync(join(tmpdir(), "caret-")));
const programs = new Programs(() => []);

function program(
  place: string,
  name: string,
  script = "echo hello; echo broken >&2; exit 3",
): string {
  const path = join(place, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

test("a program is found on the PATH, never in a relative folder of it", async () => {
  const place = folder();
  const path = program(place, "caret-test");
  const find = (PATH: string) => new Programs(() => [], { PATH }).find("caret-test");
  assert.equal(await find(`/nowhere:${place}`), path);
  process.chdir(place);
  assert.equal(await find(".::bin"), undefined);
});

test("what is in an open folder, also by a link, is not found on the PATH", async () => {
  const [open, elsewhere] = [folder(), folder()];
  program(open, "bin/caret-test");
  symlinkSync(join(open, "bin"), join(elsewhere, "link"));
  symlinkSync(open, join(elsewhere, "opened"));
  const find = (PATH: string, opened = open) =>
    new Programs(() => [opened], { PATH }).find("caret-test");
  assert.equal(await find(join(open, "bin")), undefined);
  assert.equal(await find(join(elsewhere, "link")), undefined);
  assert.equal(await find(join(open, "bin"), join(elsewhere, "opened")), undefined);
  const other = program(`${open}-beside`, "caret-test");
  assert.equal(await find(`${open}/bin:${dirname(other)}`), other);
});

test("the home folder is no workspace", async () => {
  const home = folder();
  const path = program(home, ".local/bin/caret-test");
  const environment = { PATH: dirname(path) };
  const find = (opened: string) =>
    new Programs(() => [opened], environment, home).find("caret-test");
  assert.equal(await find(home), path);
  assert.equal(await find("/"), path);
  assert.equal(await find(join(home, ".local")), undefined);
});

test("a program runs in its own folder, without what would have Python load other code", async () => {
  const place = folder();
  const path = program(place, "tell", 'pwd; echo "$PATH"; env | grep -c "^PYTHON\\|^VIRTUAL_ENV"');
  const environment = {
    PATH: `.::/usr/bin:/bin:${place}`,
    PYTHONPATH: ".",
    PYTHONHOME: place,
    PYTHONSTARTUP: "start.py",
    PYTHONWARNINGS: "error::queue.X",
    VIRTUAL_ENV: place,
    HTTPS_PROXY: "http://proxy",
  };
  process.chdir(folder());
  const told = new Programs(() => [place], environment);
  const { cwd, env } = await told.surroundings(path);
  assert.equal(cwd, place);
  assert.deepEqual(env, { PATH: "/usr/bin:/bin", HTTPS_PROXY: "http://proxy" });
  const lines: string[] = [];
  await assert.rejects(told.run(path, [], { onLine: (line) => lines.push(line) })); // grep finds none
  assert.deepEqual(lines, [place, "/usr/bin:/bin", "0"]);
});

test("the setting comes first, then a whole installation of this version", async () => {
  const home = new Home(folder(), "1.2.3");
  const path = program(home.folder, "caret");
  assert.equal(await findServer(path, home, programs), path);
  assert.equal(await home.isCurrent(), false);
  writeFileSync(home.stamp, "1.2.2");
  assert.equal(await home.isCurrent(), false);
  writeFileSync(home.stamp, "1.2.3");
  assert.equal(await findServer(" ", home, programs), home.caret);
});

test("a path may be written as in a shell or in other settings", () => {
  const environment = { PLACE: "/opt/$& x" };
  const paths: Record<string, string> = {
    "~/.venv/bin/caret": "/home/ü/.venv/bin/caret",
    "${userHome}/caret": "/home/ü/caret",
    "${env:PLACE}/caret": "/opt/$& x/caret",
    '"/opt/a b/caret" ': "/opt/a b/caret",
    "'~/a b/caret'": "/home/ü/a b/caret",
    "/a~/caret": "/a~/caret",
  };
  for (const [setting, path] of Object.entries(paths)) {
    assert.equal(expanded(setting, "/home/ü", environment), path);
  }
});

test("what means another path in each workspace is refused, and what to write is said", () => {
  for (const setting of [
    "caret",
    "./caret",
    ".venv/bin/caret",
    "~root/caret",
    "${workspaceFolder}/caret",
    "${env:NONE}caret",
    '""',
  ]) {
    const refused = {
      name: "Error",
      message: /caret\.vscode\.serverPath.*Write (it|the path) out/,
    };
    assert.throws(() => expanded(setting, "/home/me", {}), refused, setting);
  }
});

test("what is no program of Caret's is refused, and which one to name is said", async () => {
  const place = folder();
  const home = new Home(folder(), "1");
  const caret = program(place, "bin/caret");
  program(place, "bin/python3.11");
  writeFileSync(join(place, "notes"), "");
  const refused = async (setting: string, what: RegExp) =>
    assert.rejects(findServer(setting, home, programs), { message: what });
  await refused(join(place, "gone"), /There is no .*gone .*serverPath/);
  await refused(place, new RegExp(`is a folder .*Write ${caret}`));
  await refused(join(place, "bin"), new RegExp(`is a folder .*Write ${caret}`));
  await refused(folder(), /is a folder .*Write the path of the program caret in it/);
  await refused(join(place, "bin/python3.11"), new RegExp(`is Python .*Write ${caret}`));
  await refused(join(place, "notes"), /is not a program that you may run/);
  const odd = program(join(place, "a b ü"), "caret");
  assert.equal(await findServer(odd, home, programs), odd);
});

test("a failure says what the program said last", async () => {
  const lines: string[] = [];
  const path = program(folder(), "fails");
  const failed = programs.run(path, [], { onLine: (line) => lines.push(line) });
  await assert.rejects(
    failed,
    (error) => error instanceof Failed && /(hello|broken)$/.test(error.message),
  );
  assert.deepEqual(lines.sort(), ["broken", "hello"]);
});

test("a program that is not there is a failure too", async () => {
  await assert.rejects(programs.run("/nowhere/caret", []), Failed);
});

test("a program that is stopped is a failure", async () => {
  const stop = new AbortController();
  const running = programs.run("/bin/sleep", ["60"], { signal: stop.signal });
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
