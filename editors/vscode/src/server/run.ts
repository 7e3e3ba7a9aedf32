// The one place that says how programs are run, so that nothing in an open folder runs with them.

import { spawn } from "node:child_process";
import { constants } from "node:fs";
import { access, realpath } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, relative, sep } from "node:path";
import { createInterface } from "node:readline";

export const WINDOWS = process.platform === "win32";

/** Variables that have Python load other code, or say which Python it is. */
const PYTHONS_OWN = /^(PYTHON|VIRTUAL_ENV$|CONDA_PREFIX$|__PYVENV_LAUNCHER__$)/i;

/** A program that failed or cannot be run; the message says why. */
export class Failed extends Error {}

export interface Options {
  /** Gets each line of stdout and stderr. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** Finds programs outside of the open folders, and runs them in their own folder. */
export class Programs {
  constructor(
    private readonly openFolders: () => readonly string[],
    private readonly environment: NodeJS.ProcessEnv = process.env,
    private readonly home = homedir(),
  ) {}

  /** The path of a program that is on the PATH, outside of the open folders. */
  async find(name: string): Promise<string | undefined> {
    const file = WINDOWS ? `${name}.exe` : name;
    for (const folder of await this.searched()) {
      const found = join(folder, file);
      if (await isExecutable(found)) {
        return found;
      }
    }
    return undefined;
  }

  /**
   * Whether a path, or what it links to, is in an open folder. The home folder is no workspace, nor
   * what it is in: the user's own programs lie there.
   */
  async isOpen(path: string): Promise<boolean> {
    const folders = this.openFolders().filter((folder) => !within(folder, this.home));
    const real = await Promise.all([...folders, path].map(resolved));
    const [target = path] = real.splice(-1);
    return [path, target].some((one) => [...folders, ...real].some((each) => within(each, one)));
  }

  /** The working directory and the environment of a program, which is named by its absolute path. */
  async surroundings(command: string): Promise<{ cwd: string; env: NodeJS.ProcessEnv }> {
    const path = (await this.searched()).join(delimiter);
    const kept = Object.entries(this.environment).filter(([name]) => !PYTHONS_OWN.test(name));
    const env = Object.fromEntries(
      kept.map(([name, value]) => [name, isPath(name) ? path : value]),
    );
    return { cwd: dirname(command), env };
  }

  /** Run a program to its end and return what it wrote to stdout. Rejects with `Failed`. */
  async run(command: string, args: readonly string[], options: Options = {}): Promise<string> {
    const { onLine, signal } = options;
    const child = spawn(command, args, {
      ...(await this.surroundings(command)),
      stdio: ["ignore", "pipe", "pipe"],
      ...(signal && { signal }),
    });
    const written: string[] = [];
    let last = "it said nothing";
    const follow = (stream: NodeJS.ReadableStream, keep: boolean) =>
      createInterface(stream).on("line", (line) => {
        last = line.trim() || last;
        onLine?.(line);
        if (keep) {
          written.push(line);
        }
      });
    follow(child.stdout, true);
    follow(child.stderr, false);
    return new Promise((resolve, reject) => {
      child.on("error", (error) => reject(new Failed(`${command}: ${error.message}`)));
      child.on("close", (code) =>
        code === 0 ? resolve(written.join("\n")) : reject(new Failed(`${command}: ${last}`)),
      );
    });
  }

  /** The folders of the PATH that count: a relative one means whatever folder is current. */
  private async searched(): Promise<string[]> {
    const [, path = ""] = Object.entries(this.environment).find(([name]) => isPath(name)) ?? [];
    const folders = path.split(delimiter).filter(isAbsolute);
    const open = await Promise.all(folders.map((folder) => this.isOpen(folder)));
    return folders.filter((_, index) => !open[index]);
  }
}

/** Whether the user may run a file. */
export function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Windows has it in any case. */
function isPath(name: string): boolean {
  return WINDOWS ? name.toUpperCase() === "PATH" : name === "PATH";
}

function resolved(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

function within(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
