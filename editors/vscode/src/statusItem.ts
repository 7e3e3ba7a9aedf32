// Caret's item in the status bar; a click opens the menu.

import * as vscode from "vscode";
import { type Facts, shown } from "./status";

const COLOURS = {
  plain: undefined,
  warning: new vscode.ThemeColor("statusBarItem.warningBackground"),
  error: new vscode.ThemeColor("statusBarItem.errorBackground"),
};

export class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "caret.status",
    vscode.StatusBarAlignment.Right,
    100,
  );

  constructor() {
    this.item.name = "Caret";
    this.item.command = "caret.menu";
    this.item.show();
  }

  draw(facts: Facts): void {
    const { text, tooltip, kind } = shown(facts);
    this.item.text = text;
    this.item.tooltip = new vscode.MarkdownString(tooltip);
    this.item.backgroundColor = COLOURS[kind];
    this.item.accessibilityInformation = { label: tooltip.replaceAll("**", "") };
  }

  dispose(): void {
    this.item.dispose();
  }
}
