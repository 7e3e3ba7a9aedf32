// Asking in the panel: a first question about some code, then what follows from it.

import * as vscode from "vscode";
import { CancellationTokenSource, type Location } from "vscode-languageclient/node";
import type { Session } from "../session";
import { codeEditor } from "./code";
import { Panel } from "./panel";
import type { Turn, Wish } from "./protocol";
import { type Answer, heading, type Kind, type Question } from "./question";
import { render } from "./render";

const DRAWN_EVERY_MS = 60;

/** The panel's side of one window; a new question about code begins a new conversation. */
export class Conversation implements vscode.Disposable {
  private readonly panel: Panel;
  private question: Question | undefined;
  private references: Location[][] = [];
  private running = new CancellationTokenSource();

  constructor(private readonly session: Session) {
    const dist = session.context.asAbsolutePath("dist");
    this.panel = new Panel(dist, (wish) => this.fulfil(wish));
  }

  /** Begin with a question about some code. */
  async begin(kind: Kind, question: Question): Promise<void> {
    this.references = [];
    const name = vscode.workspace.asRelativePath(vscode.Uri.parse(question.textDocument.uri));
    await this.turn(kind, question, heading(kind, name, question));
  }

  dispose(): void {
    this.running.cancel();
    this.panel.dispose();
  }

  private async turn(kind: Kind, question: Question, title: string): Promise<void> {
    this.running.cancel();
    const running = new CancellationTokenSource();
    this.running = running;
    this.question = question;
    const index = this.references.length;
    this.references.push([]);
    this.panel.open();
    const turn: Turn = { question: title, html: "", state: "streaming", error: "", references: [] };
    const draw = (change: Partial<Turn>) => {
      // A newer question has taken the panel over.
      if (this.running === running) {
        this.panel.show(index, Object.assign(turn, change));
      }
    };
    draw({});
    await this.answer(kind, question, running, draw, index);
  }

  private async answer(
    kind: Kind,
    question: Question,
    running: CancellationTokenSource,
    draw: (change: Partial<Turn>) => void,
    index: number,
  ): Promise<void> {
    const text = new Growing((html) => draw({ html }));
    try {
      const argument = { ...question, apply: false };
      const { token } = running;
      const answer = await this.session.stream<Answer>(
        `caret.${kind}`,
        argument,
        (d) => text.add(d),
        token,
      );
      text.end();
      question.conversation = answer.conversation;
      this.references[index] = answer.references;
      const references = answer.references.map(placeName);
      draw({ html: render(answer.text), state: "done", references });
    } catch (error) {
      text.end();
      const stopped = running.token.isCancellationRequested;
      draw({ state: stopped ? "stopped" : "failed", error: (error as Error).message });
    }
  }

  private async fulfil(wish: Wish): Promise<void> {
    switch (wish.do) {
      case "stop":
        this.running.cancel();
        break;
      case "ask":
        if (this.question) {
          const { diagnostics: _, text: __, ...rest } = this.question;
          await this.turn("ask", { ...rest, instruction: wish.text }, wish.text);
        }
        break;
      case "copy":
        await vscode.env.clipboard.writeText(wish.text);
        break;
      case "insert":
        await insert(wish.text);
        break;
      case "open":
        await this.openReference(this.references[wish.index]?.[wish.reference]);
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

/** Markdown that grows, drawn now and then rather than for every token. */
class Growing {
  private text = "";
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly draw: (html: string) => void) {}

  add(delta: string): void {
    this.text += delta;
    this.timer ??= setTimeout(() => this.flush(), DRAWN_EVERY_MS);
  }

  end(): void {
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.draw(render(this.text));
  }
}

function placeName({ uri, range }: Location): string {
  return `${vscode.workspace.asRelativePath(vscode.Uri.parse(uri))}:${range.start.line + 1}`;
}

/** Put text where the caret is in the code; the panel itself has the focus. */
async function insert(text: string): Promise<void> {
  const editor = codeEditor();
  if (!editor) {
    throw new Error("No code is open to insert into.");
  }
  await editor.edit((edit) => edit.replace(editor.selection, text.replace(/\n$/, "")));
}
