// One window's Caret: its server, its status bar item, and what other parts ask of them.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import * as vscode from "vscode";
import {
  type CancellationToken,
  ExecuteCommandRequest,
  type LanguageClient,
  ProgressType,
} from "vscode-languageclient/node";
import { createClient } from "./client";
import { Pause } from "./pause";
import { findServer, Home } from "./server/find";
import { declared, Settings } from "./settings";
import type { Cost, Facts, Status } from "./status";
import { StatusItem } from "./statusItem";

const PARTIAL = new ProgressType<{ text: string }>();

/** Starts and stops the server, and knows how it is. */
export class Session implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("Caret", { log: true });
  readonly settings: Settings;
  readonly pause = new Pause(() => this.settings.get("caret.vscode.pausedLanguages"));
  readonly home: Home;
  private readonly item = new StatusItem();
  private readonly facts: Facts = {
    status: undefined,
    cost: undefined,
    latency: undefined,
    paused: undefined,
  };
  private client: LanguageClient | undefined;
  private starting: Promise<unknown> = Promise.resolve();

  constructor(readonly context: vscode.ExtensionContext) {
    const folder = vscode.Uri.joinPath(context.globalStorageUri, "server").fsPath;
    const manifest = context.extension.packageJSON;
    this.home = new Home(folder, manifest.version);
    this.settings = new Settings(declared(manifest), (name) =>
      vscode.workspace.getConfiguration(undefined, null).inspect(name),
    );
  }

  /** Where the server is; undefined if it has to be installed. */
  server(): Promise<string | undefined> {
    return findServer(this.settings.get("caret.vscode.serverPath"), this.home);
  }

  /** The source package of the server that the extension brings. */
  async source(): Promise<string> {
    const folder = this.context.asAbsolutePath("server");
    const name = (await readdir(folder)).find((file) => file.endsWith(".tar.gz"));
    if (!name) {
      throw new Error(`There is no server in ${folder}. Install the extension from a .vsix file.`);
    }
    return join(folder, name);
  }

  get logFile(): string {
    return vscode.Uri.joinPath(this.context.logUri, "lsp.log").fsPath;
  }

  /**
   * Start the server, anew if it runs; false if there is none. One start at a time: two servers
   * would answer twice.
   */
  start(): Promise<boolean> {
    const started = this.starting.then(() => this.startNow());
    this.starting = started.catch(() => undefined);
    return started;
  }

  private async startNow(): Promise<boolean> {
    await this.stop();
    const command = await this.server();
    if (command) {
      // Not by VS Code's own file system, whose answer takes the way through a busy window.
      await mkdir(this.context.logUri.fsPath, { recursive: true });
      this.client = createClient(command, this.logFile, this.log, this.pause, this.settings, {
        status: (status) => this.onStatus(status),
        suggested: (ms) => this.onSuggested(ms),
      });
      await this.client.start();
    }
    this.draw();
    return command !== undefined;
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.facts.status = undefined;
    this.draw();
    // One that failed to start, or takes too long to end, must not keep the next from starting.
    await client?.dispose().catch((error: Error) => this.log.warn(error.message));
  }

  /** Draw the status anew, for the document that is edited now. */
  draw(): void {
    const document = vscode.window.activeTextEditor?.document;
    this.facts.paused = document && this.pause.reason(document);
    this.item.draw(this.facts);
    const state = this.facts.status?.state;
    setContext("caret.running", state !== undefined);
    setContext("caret.ready", state === "ready" || state === "busy");
  }

  get state(): Readonly<Facts> {
    return this.facts;
  }

  /** Have the server execute a command. Rejects with what it says went wrong. */
  async execute<T>(command: string, args: unknown[] = [], token?: CancellationToken): Promise<T> {
    return this.running().sendRequest(
      ExecuteCommandRequest.type,
      { command, arguments: args },
      token,
    ) as Promise<T>;
  }

  /** The same for a command that streams text. */
  async stream<T>(
    command: string,
    argument: object,
    onText: (delta: string) => void,
    token: CancellationToken,
  ): Promise<T> {
    const partialResultToken = crypto.randomUUID();
    const following = this.running().onProgress(PARTIAL, partialResultToken, (part) =>
      onText(part.text),
    );
    try {
      return await this.execute<T>(command, [{ ...argument, partialResultToken }], token);
    } finally {
      following.dispose();
    }
  }

  /** What other extensions say is wrong in a range, as the protocol has it. */
  told(uri: vscode.Uri, range: vscode.Range): Promise<unknown[]> {
    const here = vscode.languages
      .getDiagnostics(uri)
      .filter((each) => each.range.intersection(range));
    return this.running().code2ProtocolConverter.asDiagnostics(here);
  }

  /** What the client makes of the protocol's values. */
  get converter(): LanguageClient["protocol2CodeConverter"] {
    return this.running().protocol2CodeConverter;
  }

  dispose(): void {
    this.item.dispose();
    this.log.dispose();
  }

  private running(): LanguageClient {
    if (!this.client?.isRunning()) {
      throw new Error("Caret's server does not run. Start it from Caret's menu in the status bar.");
    }
    return this.client;
  }

  private onStatus(status: Status): void {
    this.facts.status = status;
    this.draw();
  }

  private async onSuggested(ms: number): Promise<void> {
    this.facts.latency = ms;
    const { last } = await this.execute<{ last: Partial<Cost> }>("caret.status");
    this.facts.cost = "decode_ms" in last ? (last as Cost) : undefined;
    this.draw();
  }
}

/** For the `when` clauses of package.json. */
function setContext(name: string, value: boolean): void {
  void vscode.commands.executeCommand("setContext", name, value);
}
