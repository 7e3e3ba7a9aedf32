// The menu behind the status bar item.

import * as vscode from "vscode";
import { toggled } from "./pause";
import { completing, describe } from "./server/models";
import type { Session } from "./session";
import { pullModel, requireServer } from "./setUp";
import { speed } from "./status";

interface Entry extends vscode.QuickPickItem {
  command: string;
}

/** Show it and do what is chosen. */
export async function showMenu(session: Session): Promise<void> {
  const { status } = session.state;
  const placeHolder = [status?.model, status?.message || status?.state, speed(session.state)]
    .filter(Boolean)
    .join(" · ");
  const title = "Caret";
  const chosen = await vscode.window.showQuickPick(entries(session), { title, placeHolder });
  if (chosen) {
    await vscode.commands.executeCommand(chosen.command);
  }
}

function entries(session: Session): Entry[] {
  const document = vscode.window.activeTextEditor?.document;
  const reason = document && session.pause.reason(document);
  const language = document?.languageId;
  const languages = session.settings.get<string[]>("caret.vscode.pausedLanguages");
  const here =
    reason === "in this file" ? "$(play) Resume in This File" : "$(debug-pause) Pause in This File";
  const everywhere =
    language && languages.includes(language)
      ? `$(play) Resume in ${language} Files`
      : `$(debug-pause) Pause in ${language} Files`;
  return [
    ...(document ? [entry(here, "caret.pauseHere"), entry(everywhere, "caret.pauseLanguage")] : []),
    entry("$(arrow-swap) Switch the Model…", "caret.switchModel"),
    entry("$(debug-restart) Restart the Engine", "caret.restartEngine"),
    entry("$(output) Show the Log", "caret.showLog"),
    entry("$(pulse) Check This Machine", "caret.doctor"),
    entry("$(gear) Settings", "caret.settings"),
  ];
}

function entry(label: string, command: string): Entry {
  return { label, command };
}

/** No suggestions of their own in this file, or again. */
export function pauseHere(session: Session): void {
  const document = vscode.window.activeTextEditor?.document;
  if (document) {
    session.pause.toggleFile(document.uri);
    session.draw();
  }
}

/** The same for all files of this one's language; it stays so in later sessions. */
export async function pauseLanguage(session: Session): Promise<void> {
  const language = vscode.window.activeTextEditor?.document.languageId;
  if (language) {
    const name = "caret.vscode.pausedLanguages";
    const languages = toggled(session.settings.get<string[]>(name), language);
    const { Global } = vscode.ConfigurationTarget;
    await vscode.workspace.getConfiguration().update(name, languages, Global);
  }
}

/** Choose the model that completes code; one that is not on the machine is downloaded. */
export async function switchModel(session: Session): Promise<void> {
  const models = completing(
    await session.programs.run(await requireServer(session), ["models", "--json"]),
  );
  const items = models.map((model) => ({ model, label: model.name, description: describe(model) }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: "The model that completes code",
  });
  if (!chosen) {
    return;
  }
  const { name, state } = chosen.model;
  if (state === "installed" || (await pullModel(session, name))) {
    const settings = vscode.workspace.getConfiguration("caret");
    await settings.update("fim.model", name, vscode.ConfigurationTarget.Global);
  }
}

/** The server's log in an editor; the client's where there is none yet. */
export async function showLog(session: Session): Promise<void> {
  try {
    await vscode.window.showTextDocument(vscode.Uri.file(session.logFile), { preview: false });
  } catch {
    session.log.show();
  }
}

/** `caret doctor`, written to the output panel. */
export async function doctor(session: Session): Promise<void> {
  const caret = await requireServer(session);
  const location = vscode.ProgressLocation.Notification;
  const title = "Caret: checking this machine";
  session.log.show();
  await vscode.window.withProgress({ location, title }, () =>
    session.programs.run(caret, ["doctor"], { onLine: (line) => session.log.info(line) }),
  );
}
