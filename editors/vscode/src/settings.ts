// Which value of a setting counts. A workspace is written by others: it may shape suggestions, switch
// off and add to lists. Programs, models and hosts are the user's alone.

/** A setting in package.json. */
export interface Property {
  scope: string;
}

/** Of package.json, what says which settings there are. */
export interface Manifest {
  contributes: { configuration: { properties: Record<string, Property> }[] };
}

/** The values that are set for it, as `WorkspaceConfiguration.inspect` returns them. */
export interface Values {
  defaultValue?: unknown;
  globalValue?: unknown;
  workspaceValue?: unknown;
}

export type Inspect = (name: string) => Values | undefined;

/** The settings that the extension's package.json declares. */
export function declared(manifest: Manifest): Record<string, Property> {
  return Object.assign({}, ...manifest.contributes.configuration.map((part) => part.properties));
}

/** Settings by their full names. */
export class Settings {
  constructor(
    private readonly properties: Readonly<Record<string, Property>>,
    private readonly inspect: Inspect,
  ) {}

  /** The value in force of a setting such as `caret.fim.model`. */
  get<T>(name: string): T {
    const property = this.properties[name];
    if (!property) {
      throw new Error(`The extension has no setting ${name}.`);
    }
    return inForce(property, this.inspect(name) ?? {}) as T;
  }

  /** The section `caret` as the server knows it: without the extension's own settings. */
  forServer(): Record<string, Record<string, unknown>> {
    const sections: Record<string, Record<string, unknown>> = {};
    for (const name of Object.keys(this.properties)) {
      const [, section = "", key = ""] = name.split(".");
      if (section !== "vscode") {
        sections[section] = { ...sections[section], [key]: this.get(name) };
      }
    }
    return sections;
  }
}

/**
 * The user's value, which a workspace changes only as the setting allows. VS Code checks scopes too, but
 * merges what a workspace writes as an object under a shorter name, such as `"caret.fim": {…}`.
 */
function inForce(
  { scope }: Property,
  { defaultValue, globalValue, workspaceValue }: Values,
): unknown {
  const own = globalValue ?? defaultValue;
  const told = workspaceValue ?? own;
  if (scope === "machine") {
    return own;
  }
  if (Array.isArray(own)) {
    return [...new Set([...own, ...[told].flat().filter(adds)])];
  }
  return typeof own === "boolean" ? own && told !== false : told;
}

/** Whether an entry adds to a list: one with a `!` would take away what the user excludes. */
function adds(entry: unknown): boolean {
  return typeof entry === "string" && !entry.startsWith("!");
}
