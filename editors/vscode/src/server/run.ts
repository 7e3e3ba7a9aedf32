// Programs that end by themselves: installers and `caret`'s own commands.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A program that failed; the message ends with the last line it wrote. */
export class Failed extends Error {}

export interface Options {
  /** Gets each line of stdout and stderr. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

/** Run a program to its end and return what it wrote to stdout. Rejects with `Failed`. */
export async function run(
  command: string,
  args: readonly string[],
  { onLine, signal }: Options = {},
): Promise<string> {
  const child = spawn(command, args, {
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
