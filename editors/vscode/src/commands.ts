// Every command of the extension, and what an error in one says.

import * as vscode from "vscode";
import { ask } from "./answer/ask";
import { Conversation } from "./answer/conversation";
import { Preview } from "./answer/preview";
import { KINDS, type Question } from "./answer/question";
import { doctor, pauseHere, pauseLanguage, showLog, showMenu, switchModel } from "./menu";
import type { Session } from "./session";
import { installServer, pullModel, trySample } from "./setUp";

type Command = (...args: never[]) => unknown;

/** Register them all. */
export function registerCommands(session: Session): vscode.Disposable[] {
  const conversation = new Conversation(session);
  const preview = new Preview();
  const commands: Record<string, Command> = {
    "caret.applyChange": () => preview.apply(),
    "caret.discardChange": () => preview.discard(),
    // Sent by VS Code itself when a suggestion is taken.
    "caret.accepted": (...args) => session.tell("caret.accepted", args),
    "caret.menu": () => showMenu(session),
    "caret.pauseHere": () => pauseHere(session),
    "caret.pauseLanguage": () => pauseLanguage(session),
    "caret.switchModel": () => switchModel(session),
    "caret.restartEngine": () => session.execute("caret.restartEngine"),
    "caret.showLog": () => showLog(session),
    "caret.doctor": () => doctor(session),
    "caret.settings": () => openSettings(),
    "caret.install": () => installServer(session),
    "caret.pullModel": () => pullModel(session),
    "caret.trySample": () => trySample(session),
  };
  for (const kind of KINDS) {
    commands[`caret.${kind}`] = (given?: Question) =>
      ask(session, conversation, preview, kind, given);
  }
  const registered = Object.entries(commands).map(([name, command]) =>
    vscode.commands.registerCommand(name, (...args: never[]) =>
      session.attempt(() => command(...args)),
    ),
  );
  return [conversation, preview, ...registered];
}

function openSettings(): Thenable<unknown> {
  return vscode.commands.executeCommand("workbench.action.openSettings", "@ext:caret.caret-lsp");
}
