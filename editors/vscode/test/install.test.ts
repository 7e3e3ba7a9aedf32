import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { test } from "node:test";
import { findServer, Home } from "../src/server/find";
import { install } from "../src/server/install";
import { Failed, Programs } from "../src/server/run";

const [name = "none.tar.gz"] = readdirSync("server");
const source = resolve("server", name);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));
const folder = () => mkdtempSync(join(tmpdir(), "caret-"));
/** What the installers import or read, and could find in the folder that is open. */
const HOSTILE = [
  "pip",
  "venv",
  "ensurepip",
  "sitecustomize",
  "usercustomize",
  "subprocess",
  "queue",
];

/** An open folder that would leave `ran` in itself where something in it runs. */
function hostile(): string {
  const place = folder();
  const ran = JSON.stringify(join(place, "ran"));
  for (const module of HOSTILE) {
    writeFileSync(join(place, `${module}.py`), `open(${ran}, "w")\nraise SystemExit(9)\n`);
  }
  for (const program of ["python3", "python", "uv", "caret"]) {
    writeFileSync(join(place, program), `#!/bin/sh\ntouch ${ran}\n`, { mode: 0o755 });
  }
  for (const file of ["uv.toml", "pip.conf"]) {
    writeFileSync(join(place, file), "not a configuration");
  }
  return place;
}

/**
 * With an installer that leaves out what the server's libraries weigh: a Python whose environments have
 * those of the Python that runs the tests.
 */
async function lean(open: string): Promise<Programs> {
  const plain = new Programs(() => []);
  const python = (await plain.find("python3")) ?? "";
  const libraries = await plain.run(python, [
    "-c",
    "import os, click; print(os.path.dirname(click.__path__[0]))",
  ]);
  const tools = folder();
  const script = `#!/bin/sh
'${python}' "$@" || exit
for last; do :; done
for packages in "$last"/lib/python*/site-packages; do
  [ -d "$packages" ] && echo '${libraries}' > "$packages/lean.pth"
done
exit 0
`;
  writeFileSync(join(tools, "python3"), script, { mode: 0o755 });
  return new Programs(() => [open], {
    ...process.env,
    PATH: [".", "", open, tools, "/usr/bin", "/bin"].join(delimiter),
    PYTHONPATH: open,
    PYTHONSTARTUP: join(open, "queue.py"),
    PIP_NO_DEPS: "1",
    UV_NO_DEPS: "1",
    CC: "false",
  });
}

test("the server is installed into a folder of its own, and starts", async () => {
  const open = hostile();
  process.chdir(open);
  const programs = await lean(open);
  const home = new Home(join(folder(), "server"), version);
  const lines: string[] = [];
  await install(home, source, programs, { onLine: (line) => lines.push(line) });
  const caret = await findServer("", home, programs);
  assert.equal(caret, home.caret);
  assert.match(await programs.run(home.caret, ["--version"]), new RegExp(`version ${version}`));
  assert.ok(lines.some((line) => line.includes("venv")));
  assert.ok(!existsSync(join(open, "ran")), "something in the open folder ran");
});

test("what failed half-way does not count, and can be tried again", async () => {
  const home = new Home(join(folder(), "server"), version);
  const programs = new Programs(() => []);
  await assert.rejects(install(home, "/nowhere/caret.tar.gz", programs, {}), Failed);
  assert.equal(await home.isCurrent(), false);
});
