// The extension's own settings stand under `caret.vscode`; everything else is the server's.

import type { WorkspaceConfiguration } from "vscode";

/** The section `caret` as the server knows it. */
export function forServer(section: unknown): unknown {
  if (typeof section !== "object" || section === null) {
    return section;
  }
  const { vscode: _, ...rest } = section as Record<string, unknown>;
  return rest;
}

/** A copy as plain data, without the functions that VS Code puts beside the values. */
export function plain(section: WorkspaceConfiguration): unknown {
  return JSON.parse(JSON.stringify(section));
}
