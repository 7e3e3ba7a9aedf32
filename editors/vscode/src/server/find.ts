// Which `caret` to start: the one that the settings name, the extension's own, or one on the PATH.

import { readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, isAbsolute, join } from "node:path";
import { Failed, isExecutable, type Programs, WINDOWS } from "./run";

const SETTING = "caret.vscode.serverPath";
const PYTHON = /^pythonw?[\d.]*(\.exe)?$/i;

/** Where the extension's own server is. */
export class Home {
  constructor(
    /** A folder of the extension's own. */
    readonly folder: string,
    /** The version of Caret that the extension brings. */
    readonly version: string,
  ) {}

  get python(): string {
    return this.program("python");
  }

  get caret(): string {
    return this.program("caret");
  }

  /** Written when an installation is whole; says which version it is. */
  get stamp(): string {
    return join(this.folder, "caret-version");
  }

  async isCurrent(): Promise<boolean> {
    const installed = await readFile(this.stamp, "utf8").catch(() => undefined);
    return installed === this.version;
  }

  private program(name: string): string {
    return join(this.folder, BIN, fileName(name));
  }
}

/**
 * The path of the server's program, or undefined where it has to be installed first. Rejects with
 * `Failed` where the setting names none.
 */
export async function findServer(
  setting: string,
  home: Home,
  programs: Programs,
): Promise<string | undefined> {
  if (setting.trim()) {
    return named(setting);
  }
  return (await home.isCurrent()) ? home.caret : programs.find("caret");
}

/** The program that the setting names. Rejects with `Failed`, saying what to write, where it is none. */
async function named(setting: string): Promise<string> {
  const path = expanded(setting);
  const found = await stat(path).catch(() => undefined);
  if (!found) {
    throw wrong(`There is no ${path}`, "Write the whole path of the program caret");
  }
  if (found.isDirectory()) {
    const inside = await firstExecutable(
      [path, join(path, BIN), join(path, ".venv", BIN)].map((folder) =>
        join(folder, fileName("caret")),
      ),
    );
    throw wrong(`${path} is a folder`, `Write ${inside ?? "the path of the program caret in it"}`);
  }
  if (PYTHON.test(basename(path))) {
    const beside = await firstExecutable([join(dirname(path), fileName("caret"))]);
    throw wrong(`${path} is Python`, `Write ${beside ?? "the path of the program caret"}`);
  }
  if (!(await isExecutable(path))) {
    throw wrong(`${path} is not a program that you may run`, "Name the program caret");
  }
  return path;
}

/** The path that a person means. Rejects what would depend on the folder that is open. */
export function expanded(
  setting: string,
  home = homedir(),
  environment: NodeJS.ProcessEnv = process.env,
): string {
  const bare = setting.trim().replace(/^(["'])(.*)\1$/, "$2");
  const path = bare
    .replace(/^~(?=$|[/\\])/, () => home)
    .replaceAll(/\$\{(?:userHome|env:([^}]+))\}/g, (_, name?: string) =>
      name ? (environment[name] ?? "") : home,
    );
  const variable = /\$\{[^}]*\}/.exec(path)?.[0];
  if (variable) {
    throw wrong(`${variable} is not known here`, "Write the path out");
  }
  if (!isAbsolute(path)) {
    throw wrong(`${path || bare} is not an absolute path`, "Write it out from the root, or from ~");
  }
  return path;
}

const BIN = WINDOWS ? "Scripts" : "bin";

function fileName(program: string): string {
  return WINDOWS ? `${program}.exe` : program;
}

async function firstExecutable(paths: string[]): Promise<string | undefined> {
  const there = await Promise.all(paths.map(isExecutable));
  return paths.find((_, index) => there[index]);
}

function wrong(what: string, remedy: string): Failed {
  return new Failed(`${what} (the setting ${SETTING}). ${remedy}.`);
}
