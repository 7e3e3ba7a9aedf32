// The code that a person means.

import * as vscode from "vscode";

/** Where the keyboard is; or else, while it is in a panel or the walkthrough, what code is in view. */
export function codeEditor(): vscode.TextEditor | undefined {
  return (
    vscode.window.activeTextEditor ??
    vscode.window.visibleTextEditors.find(({ viewColumn }) => viewColumn)
  );
}
