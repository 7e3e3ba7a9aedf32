// Installs the server that came with the extension into a virtual environment of its own.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Home } from "./find";
import { Failed, type Options, type Programs } from "./run";

const OLDEST = [3, 11] as const;
const PYTHONS = ["python3", "python", "python3.13", "python3.12", "python3.11"];

/** A program that can make virtual environments. */
export interface Tool {
  kind: "uv" | "python";
  path: string;
}

export interface Step {
  title: string;
  command: string;
  args: string[];
}

/** uv, which can bring its own Python, or else a Python that is new enough. Rejects with `Failed`. */
export async function findTool(programs: Programs): Promise<Tool> {
  const uv = await programs.find("uv");
  if (uv) {
    return { kind: "uv", path: uv };
  }
  for (const name of PYTHONS) {
    const path = await programs.find(name);
    if (path && (await isNewEnough(path, programs))) {
      return { kind: "python", path };
    }
  }
  throw new Failed(
    `Caret needs Python ${OLDEST.join(".")} or newer, or uv. Install one of them; what is in an open folder does not count.`,
  );
}

/** The commands that install the source package `source` into `home`. */
export function steps(tool: Tool, home: Home, source: string): Step[] {
  const title = "installing Caret's server";
  if (tool.kind === "uv") {
    const python = `>=${OLDEST.join(".")}`;
    return [
      {
        title: "making an environment",
        command: tool.path,
        args: ["venv", "--python", python, home.folder],
      },
      { title, command: tool.path, args: ["pip", "install", "--python", home.python, source] },
    ];
  }
  // -I: no modules of the current folder, of the environment or of the user's. pip itself still reads
  // the user's own configuration, such as an index.
  const module = ["-I", "-m"];
  const pip = [...module, "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"];
  return [
    { title: "making an environment", command: tool.path, args: [...module, "venv", home.folder] },
    { title, command: home.python, args: [...pip, source] },
  ];
}

/** What an installer's line means for a person; undefined for most lines. */
export function progressOf(line: string): string | undefined {
  const found =
    /^\s*(Downloading|Collecting|Building|Installing collected|Prepared|Installed)\b\s*(\S*)/.exec(
      line,
    );
  const [, verb, what = ""] = found ?? [];
  switch (verb) {
    case "Collecting":
      return `looking for ${what.split(/[<>=!~;[]/)[0]}`;
    case "Downloading": {
      const size = /\(([\d.]+ ?[kMG]i?B)\)\s*$/.exec(line)?.[1];
      const name = what.split("/").at(-1)?.split("-")[0] ?? what;
      return `downloading ${name}${size ? ` (${size})` : ""}`;
    }
    case "Building":
      return "building";
    case "Prepared":
    case "Installing collected":
      return "installing";
    default:
      return undefined;
  }
}

/** Install from nothing; a half-made environment never counts. Rejects with `Failed`. */
export async function install(
  home: Home,
  source: string,
  programs: Programs,
  options: Options,
): Promise<void> {
  const tool = await findTool(programs);
  await rm(home.folder, { recursive: true, force: true });
  await mkdir(dirname(home.folder), { recursive: true });
  for (const step of steps(tool, home, source)) {
    options.onLine?.(`${step.command} ${step.args.join(" ")}`);
    await programs.run(step.command, step.args, options);
  }
  await programs.run(home.caret, ["--version"], options);
  await writeFile(home.stamp, home.version);
}

async function isNewEnough(python: string, programs: Programs): Promise<boolean> {
  const program = `import sys, venv, ensurepip; sys.exit(sys.version_info < (${OLDEST.join(", ")}))`;
  return programs.run(python, ["-I", "-c", program]).then(
    () => true,
    () => false,
  );
}
