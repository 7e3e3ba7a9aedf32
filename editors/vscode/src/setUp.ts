// The first minutes: the server, the model, and a sample to try them in.

import * as vscode from "vscode";
import { install, progressOf } from "./server/install";
import { pullProgress } from "./server/models";
import type { Session } from "./session";

/** Start the server; where that needs a person, say so, and wait for nobody. */
export async function startServer(session: Session): Promise<void> {
  const started = await session.attempt(() => session.start());
  if (started === false) {
    // Not awaited: the window is usable while a person makes up their mind.
    void session.attempt(() => offerServer(session));
  }
}

/** Say that there is no server that may be started, and what can be done. */
async function offerServer(session: Session): Promise<void> {
  const doubtful = await session.doubtfulServer();
  const message = doubtful
    ? `Caret's server ${doubtful} is in a folder that is open here: whoever writes to that folder decides what it does.`
    : "Caret needs its language server: Python packages of 1 to 3 GB, in a folder of the extension's own.";
  const start = doubtful ? ["Start It"] : [];
  const answer = await vscode.window.showInformationMessage(
    message,
    ...[...start, "Install", "Use Another…"],
  );
  if (doubtful && answer === "Start It") {
    await session.allow(doubtful);
    await session.start();
  } else if (answer === "Install") {
    await installServer(session);
  } else if (answer) {
    await choosePath();
  }
}

/** Install the server and start it; after a failure, again if the user wants. */
export async function installServer(session: Session): Promise<void> {
  await session.stop();
  const done = await withRetry(session, "Caret: installing its server", async (report, signal) => {
    const onLine = (line: string) => {
      session.log.info(line);
      const message = progressOf(line);
      if (message) {
        report(message);
      }
    };
    await install(session.home, await session.source(), session.programs, { onLine, signal });
  });
  if (done) {
    await session.start();
  }
}

/** Download a model; the server loads it by itself. */
export async function pullModel(session: Session, model?: string): Promise<boolean> {
  const caret = await requireServer(session);
  const name = model ?? session.settings.get<string>("caret.fim.model");
  return withRetry(session, "Caret: downloading the model", async (report, signal) => {
    let shownPercent = 0;
    const onLine = (line: string) => {
      session.log.info(line);
      const progress = pullProgress(line);
      if (progress) {
        report(progress.message, progress.percent - shownPercent);
        shownPercent = progress.percent;
      }
    };
    await session.programs.run(caret, ["pull", ...(name ? [name] : [])], { onLine, signal });
  });
}

/** Open a Python file with the caret where a suggestion is due; the walkthrough stays in view. */
export async function trySample(session: Session): Promise<void> {
  const file = vscode.Uri.file(session.context.asAbsolutePath("walkthrough/sample.txt"));
  const content = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  const document = await vscode.workspace.openTextDocument({ language: "python", content });
  const editor = await vscode.window.showTextDocument(document, vscode.ViewColumn.Beside);
  const end = document.lineAt(document.lineCount - 1).range.end;
  editor.selection = new vscode.Selection(end, end);
  await vscode.commands.executeCommand("editor.action.inlineSuggest.trigger");
}

/** The server's program. Rejects, saying what to do, where there is none. */
export async function requireServer(session: Session): Promise<string> {
  const caret = await session.server();
  if (!caret) {
    throw new Error("Caret's server is not installed. Run “Caret: Install the Server”.");
  }
  return caret;
}

function choosePath(): Thenable<unknown> {
  return vscode.commands.executeCommand("workbench.action.openSettings", "caret.vscode.serverPath");
}

type Work = (
  report: (message: string, increment?: number) => void,
  signal: AbortSignal,
) => Promise<void>;

/** Do a long thing with a notification that can be cancelled; true if it went well. */
async function withRetry(session: Session, title: string, work: Work): Promise<boolean> {
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  for (;;) {
    const error = await vscode.window.withProgress(options, async (progress, token) => {
      const stop = new AbortController();
      token.onCancellationRequested(() => stop.abort());
      const report = (message: string, increment = 0) => progress.report({ message, increment });
      return work(report, stop.signal).catch((reason: Error) => reason);
    });
    if (!error) {
      return true;
    }
    session.log.error(error.message);
    const answer = await vscode.window.showErrorMessage(error.message, "Retry", "Show Log");
    if (answer === "Show Log") {
      session.log.show();
    }
    if (answer !== "Retry") {
      return false;
    }
  }
}
