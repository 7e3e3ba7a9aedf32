// The instruct commands: from the palette about the selection, from a light bulb with an argument.

import * as vscode from "vscode";
import type { Session } from "../session";
import { codeEditor } from "./code";
import type { Conversation } from "./conversation";
import type { Preview } from "./preview";
import { type Answer, changes, type Kind, prompt, type Question, versionOf } from "./question";

/** Ask; `given` is the argument that a code action brought. */
export async function ask(
  session: Session,
  conversation: Conversation,
  preview: Preview,
  kind: Kind,
  given?: Question,
): Promise<void> {
  const question = await completed(kind, given ?? (await atSelection(session)));
  if (!question) {
    return;
  }
  if (changes(kind)) {
    await propose(session, preview, kind, question);
  } else {
    await conversation.begin(kind, question);
  }
}

/** A question about the selection, or the caret's place. */
async function atSelection(session: Session): Promise<Question> {
  const editor = codeEditor();
  if (!editor) {
    throw new Error("Open the code that you want to ask about.");
  }
  const { document, selection } = editor;
  const { start, end } = selection;
  return {
    textDocument: { uri: document.uri.toString(), version: document.version },
    range: { start, end },
    diagnostics: await session.told(document.uri, selection),
  };
}

/** With what a person has to say too; undefined if they think better of it. */
async function completed(kind: Kind, question: Question): Promise<Question | undefined> {
  const asked = prompt(kind, question);
  if (asked) {
    const instruction = await vscode.window.showInputBox({ title: "Caret", prompt: asked });
    return instruction ? { ...question, instruction } : undefined;
  }
  if (kind === "debug" && !question.text) {
    return { ...question, text: await vscode.env.clipboard.readText() };
  }
  return question;
}

/** Have a change written and show it as a diff; nothing changes before a person says so. */
async function propose(
  session: Session,
  preview: Preview,
  kind: Kind,
  question: Question,
): Promise<void> {
  const title = `Caret: ${kind}`;
  const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
  const answer = await vscode.window.withProgress(options, (progress, token) => {
    let lines = 0;
    const onText = (delta: string) => {
      lines += delta.split("\n").length - 1;
      progress.report({ message: `${lines} lines` });
    };
    const argument = { ...question, apply: false };
    return session
      .stream<Answer>(`caret.${kind}`, argument, onText, token)
      .catch((error: Error) => {
        if (token.isCancellationRequested) {
          return undefined;
        }
        throw error;
      });
  });
  if (answer?.edit) {
    const edit = await session.converter.asWorkspaceEdit(answer.edit);
    await preview.show(title, edit, versionOf(answer.edit));
  } else if (answer) {
    void vscode.window.showInformationMessage("The model proposes no change.");
  }
}
