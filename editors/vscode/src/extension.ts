// Starts when the window is up; the rest is in the modules beside this one.

import * as vscode from "vscode";
import { registerCommands } from "./commands";
import { Session } from "./session";
import { startServer } from "./setUp";

let session: Session | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  const here = new Session(context);
  session = here;
  context.subscriptions.push(
    here,
    ...registerCommands(here),
    vscode.window.onDidChangeActiveTextEditor(() => here.draw()),
    vscode.workspace.onDidChangeConfiguration(async (change) => {
      if (change.affectsConfiguration("caret.vscode.serverPath")) {
        await startServer(here);
      }
      here.draw();
    }),
  );
  await startServer(here);
}

export async function deactivate(): Promise<void> {
  await session?.stop();
}
