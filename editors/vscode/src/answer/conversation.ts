// Asking in the panel: a first question about some code, then what follows from it.

import * as vscode from "vscode";
import { CancellationTokenSource, type Location } from "vscode-languageclient/node";
import type { Session } from "../session";
import { codeEditor } from "./code";
import { Panel } from "./panel";
import type { Wish } from "./protocol";
import { type Answer, further, heading, type Kind, type Question } from "./question";
import { type Surface, Turns } from "./turns";

/** The panel's side of one window; a new question about code begins a new conversation. */
export class Conversation implements vscode.Disposable, Surface {
  private readonly panel: Panel;
  private readonly turns = new Turns(this);
  private question: Question | undefined;

  constructor(private readonly session: Session) {
    const dist = session.context.asAbsolutePath("dist");
    this.panel = new Panel(dist, (wish) => void session.attempt(() => this.fulfil(wish)));
  }

  /** Begin with a question about some code. */
  async begin(kind: Kind, question: Question): Promise<void> {
    this.turns.clear();
    const name = vscode.workspace.asRelativePath(vscode.Uri.parse(question.textDocument.uri));
    await this.ask(kind, question, heading(kind, name, question));
  }

  dispose(): void {
    this.turns.stop();
    this.panel.dispose();
  }

  show: Surface["show"] = (index, turn) => this.panel.show(index, turn);

  stream: Surface["stream"] = async (kind, question, onText, stop) => {
    const cancelled = new CancellationTokenSource();
    stop.addEventListener("abort", () => cancelled.cancel());
    const argument = { ...question, apply: false };
    return this.session.stream<Answer>(`caret.${kind}`, argument, onText, cancelled.token);
  };

  placeName({ uri, range }: Location): string {
    return `${vscode.workspace.asRelativePath(vscode.Uri.parse(uri))}:${range.start.line + 1}`;
  }

  private async ask(kind: Kind, question: Question, title: string): Promise<void> {
    this.question = question;
    this.panel.open();
    await this.turns.ask(kind, question, title);
  }

  private async fulfil(wish: Wish): Promise<void> {
    switch (wish.do) {
      case "stop":
        this.turns.stop();
        break;
      case "ask":
        if (this.question) {
          await this.ask("ask", further(this.question, wish.text), wish.text);
        }
        break;
      case "copy":
        await vscode.env.clipboard.writeText(wish.text);
        break;
      case "insert":
        await insert(wish.text);
        break;
      case "open":
        await this.openReference(this.turns.reference(wish.index, wish.reference));
        break;
    }
  }

  private async openReference(location: Location | undefined): Promise<void> {
    if (location) {
      const { uri, range } = this.session.converter.asLocation(location);
      const viewColumn = vscode.ViewColumn.One;
      await vscode.window.showTextDocument(uri, { selection: range, viewColumn });
    }
  }
}

/** Put text where the caret is in the code; the panel itself has the focus. */
async function insert(text: string): Promise<void> {
  const editor = codeEditor();
  if (!editor) {
    throw new Error("No code is open to insert into.");
  }
  await editor.edit((edit) => edit.replace(editor.selection, text.replace(/\n$/, "")));
}
