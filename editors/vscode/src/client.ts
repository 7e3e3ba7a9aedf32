// The language client: an ordinary one, told to leave commands to the extension.

import * as vscode from "vscode";
import {
  type DynamicFeature,
  type Executable,
  ExecuteCommandRequest,
  type InitializeParams,
  LanguageClient,
  type Middleware,
  type StaticFeature,
} from "vscode-languageclient/node";
import type { Pause } from "./pause";
import type { Settings } from "./settings";
import type { Status } from "./status";

/** What the rest of the extension gets to know. */
export interface Listener {
  status(status: Status): void;
  /** A suggestion came, so many milliseconds after it was asked for. Never rejects. */
  suggested(ms: number): Promise<void>;
}

/**
 * Commands exist before the server does and after it went, so the extension registers them.
 * Code actions come as these commands, not as edits, so that a change is shown before it is made;
 * VS Code need not ask again, in its refactoring preview, whether to make it.
 */
class Client extends LanguageClient {
  protected override fillInitializeParams(params: InitializeParams): void {
    super.fillInitializeParams(params);
    delete params.capabilities.textDocument?.codeAction?.resolveSupport;
    delete params.capabilities.workspace?.workspaceEdit?.changeAnnotationSupport;
  }

  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const dynamic = "registrationType" in feature ? feature.registrationType : undefined;
    if (dynamic?.method !== ExecuteCommandRequest.method) {
      super.registerFeature(feature);
    }
  }
}

/** A client for a server; it is not started yet. */
export function createClient(
  server: Executable,
  output: vscode.LogOutputChannel,
  pause: Pause,
  settings: Settings,
  listener: Listener,
): LanguageClient {
  const client = new Client("caret", "Caret", server, {
    documentSelector: ["file", "untitled", "vscode-notebook-cell"].map((scheme) => ({ scheme })),
    initializationOptions: () => settings.forServer(),
    middleware: middleware(pause, settings, listener),
    outputChannel: output,
  });
  client.onNotification("caret/status", (status: Status) => listener.status(status));
  return client;
}

function middleware(pause: Pause, settings: Settings, listener: Listener): Middleware {
  return {
    async provideInlineCompletionItems(document, position, context, token, next) {
      const automatic = context.triggerKind === vscode.InlineCompletionTriggerKind.Automatic;
      if (automatic && pause.reason(document)) {
        return [];
      }
      const start = performance.now();
      const found = await next(document, position, context, token);
      const items = Array.isArray(found) ? found : (found?.items ?? []);
      if (items.length > 0) {
        void listener.suggested(performance.now() - start);
      }
      return found;
    },
    workspace: {
      // The only section that the server asks for.
      configuration: ({ items }) => items.map(() => settings.forServer()),
      // That they changed, not what a workspace says: the server asks.
      didChangeConfiguration: (_, next) => next(undefined),
    },
  };
}
