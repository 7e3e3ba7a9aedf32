// Which `caret` to start: the one that the settings name, the extension's own, or one on the PATH.

import { constants } from "node:fs";
import { access, readFile } from "node:fs/promises";
import { delimiter, isAbsolute, join } from "node:path";

const WINDOWS = process.platform === "win32";

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
    return WINDOWS ? join(this.folder, "Scripts", `${name}.exe`) : join(this.folder, "bin", name);
  }
}

/** The path of the server's program, or undefined where it has to be installed first. */
export async function findServer(setting: string, home: Home): Promise<string | undefined> {
  if (setting) {
    return setting;
  }
  return (await home.isCurrent()) ? home.caret : findOnPath("caret");
}

/** A program on the PATH; relative entries, which mean the workspace, do not count. */
export async function findOnPath(
  name: string,
  path = process.env.PATH ?? "",
): Promise<string | undefined> {
  const file = WINDOWS ? `${name}.exe` : name;
  for (const folder of path.split(delimiter).filter(isAbsolute)) {
    const found = join(folder, file);
    if (
      await access(found, constants.X_OK).then(
        () => true,
        () => false,
      )
    ) {
      return found;
    }
  }
  return undefined;
}
