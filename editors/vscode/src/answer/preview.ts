// A change that the model proposes, beside the code as it is, until a person applies or discards it.

import * as vscode from "vscode";
import { applied } from "./edits";

const SCHEME = "caret-preview";
const MOVED = "The code has changed since the answer. Ask again.";

interface Proposal {
  edit: vscode.WorkspaceEdit;
  /** Documents that it changes, as they were when it was asked for. */
  versions: Map<vscode.TextDocument, number>;
  preview: vscode.Uri;
  text: string;
}

export class Preview implements vscode.Disposable, vscode.TextDocumentContentProvider {
  private proposal: Proposal | undefined;
  private count = 0;
  private readonly registration = vscode.workspace.registerTextDocumentContentProvider(
    SCHEME,
    this,
  );

  /**
   * Show the change to the first file that it touches as a diff. Rejects where a person has typed
   * there since the version that it is for.
   */
  async show(title: string, edit: vscode.WorkspaceEdit, version?: number): Promise<void> {
    const [[uri, edits] = []] = edit.entries();
    if (!uri || !edits) {
      throw new Error("The model proposes no change.");
    }
    const document = await openedOrNew(uri);
    if (document && document.version !== (version ?? document.version)) {
      throw new Error(MOVED);
    }
    const { text, left } = document
      ? { text: proposedText(document, edits), left: uri }
      : {
          text: edits.map(({ newText }) => newText).join(""),
          left: uri.with({ scheme: SCHEME, path: "/" }),
        };
    this.count += 1;
    const preview = uri.with({ scheme: SCHEME, query: String(this.count) });
    this.proposal = {
      edit,
      versions: new Map(document && [[document, document.version]]),
      preview,
      text,
    };
    const name = vscode.workspace.asRelativePath(uri);
    const options = { preview: true, viewColumn: vscode.ViewColumn.One };
    await vscode.commands.executeCommand("vscode.diff", left, preview, `${title} ${name}`, options);
  }

  /** Make the change, as one step of undo, unless the code has changed meanwhile. */
  async apply(): Promise<void> {
    const proposal = this.take();
    if ([...proposal.versions].some(([document, version]) => document.version !== version)) {
      throw new Error(MOVED);
    }
    await closeTab(proposal.preview);
    if (!(await vscode.workspace.applyEdit(proposal.edit))) {
      throw new Error("VS Code did not apply the change. Ask again.");
    }
    const [[uri] = []] = proposal.edit.entries();
    if (uri) {
      await vscode.window.showTextDocument(uri);
    }
  }

  async discard(): Promise<void> {
    await closeTab(this.take().preview);
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return uri.query === this.proposal?.preview.query ? this.proposal.text : "";
  }

  dispose(): void {
    this.registration.dispose();
  }

  private take(): Proposal {
    const proposal = this.proposal;
    if (!proposal) {
      throw new Error("There is no change to decide about.");
    }
    this.proposal = undefined;
    return proposal;
  }
}

/** The document, or undefined where the change makes the file. */
async function openedOrNew(uri: vscode.Uri): Promise<vscode.TextDocument | undefined> {
  try {
    return await vscode.workspace.openTextDocument(uri);
  } catch {
    return undefined;
  }
}

function proposedText(document: vscode.TextDocument, edits: vscode.TextEdit[]): string {
  const flat = edits.map(({ range, newText }) => ({
    start: document.offsetAt(range.start),
    end: document.offsetAt(range.end),
    text: newText,
  }));
  return applied(document.getText(), flat);
}

async function closeTab(preview: vscode.Uri): Promise<void> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  const shown = tabs.filter(
    ({ input }) =>
      input instanceof vscode.TabInputTextDiff && input.modified.toString() === preview.toString(),
  );
  await vscode.window.tabGroups.close(shown);
}
