// The side panel with one conversation: what is asked in it, and the answers as they come.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import * as vscode from "vscode";
import { page } from "./page";
import type { Turn, Wish } from "./protocol";
import { isWish } from "./protocol";

/** What a panel's owner does with what a person wishes. */
export type OnWish = (wish: Wish) => void;

export class Panel implements vscode.Disposable {
  private view: vscode.WebviewPanel | undefined;
  private turns: Turn[] = [];

  constructor(
    private readonly dist: string,
    private readonly onWish: OnWish,
  ) {}

  /** Open it beside the code, which keeps the focus. */
  open(): void {
    this.view ??= this.create();
    this.view.reveal(undefined, true);
  }

  /** Show a turn, and none behind it. */
  show(index: number, turn: Turn): void {
    this.turns = [...this.turns.slice(0, index), turn];
    void this.view?.webview.postMessage({ index, turn });
  }

  dispose(): void {
    this.view?.dispose();
  }

  private create(): vscode.WebviewPanel {
    const place = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const options = { enableScripts: true, localResourceRoots: [], enableFindWidget: true };
    const view = vscode.window.createWebviewPanel("caret.answers", "Caret", place, options);
    const [script, style] = ["page.js", "page.css"].map((name) => this.read(name));
    view.webview.onDidReceiveMessage((message) => this.receive(message));
    view.onDidDispose(() => {
      this.view = undefined;
      this.onWish({ do: "stop" });
    });
    view.webview.html = page(script ?? "", style ?? "", randomBytes(16).toString("base64"));
    return view;
  }

  private receive(message: unknown): void {
    if (!isWish(message)) {
      return;
    }
    if (message.do === "ready") {
      // The page is new, or was hidden and has forgotten everything.
      for (const [index, turn] of this.turns.entries()) {
        void this.view?.webview.postMessage({ index, turn });
      }
    } else {
      this.onWish(message);
    }
  }

  private read(name: string): string {
    return readFileSync(`${this.dist}/${name}`, "utf8");
  }
}
