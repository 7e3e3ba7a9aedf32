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
import { Programs } from "./server/run";
import { declared, Settings } from "./settings";
import type { Cost, Facts, Status } from "./status";
import { StatusItem } from "./statusItem";

const PARTIAL = new ProgressType<{ text: string }>();
/** Under this key the editor keeps the servers in open folders that the user has allowed. */
const ALLOWED = "allowedServers";

/** Starts and stops the server, and knows how it is. */
export class Session implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel("Caret", { log: true });
  readonly settings: Settings;
  readonly pause = new Pause(() => this.settings.get("caret.vscode.pausedLanguages"));
  readonly home: Home;
  readonly programs = new Programs(openFolders);
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

  /**
   * Where the server is; undefined if it has to be installed, or to be allowed. Rejects, saying what
   * to write, where the settings name no program.
   */
  async server(): Promise<string | undefined> {
    const found = await this.found();
    return found && (await this.isDoubtful(found)) ? undefined : found;
  }

  /** A server that whoever writes to an open folder can change, until the user allows it. */
  async doubtfulServer(): Promise<string | undefined> {
    const found = await this.found();
    return found && (await this.isDoubtful(found)) ? found : undefined;
  }

  async allow(server: string): Promise<void> {
    await this.context.globalState.update(ALLOWED, [...this.allowed, server]);
  }

  private found(): Promise<string | undefined> {
    const path = this.settings.get<string>("caret.vscode.serverPath");
    return findServer(path, this.home, this.programs);
  }

  private async isDoubtful(server: string): Promise<boolean> {
    const ours = server === this.home.caret || this.allowed.includes(server);
    return !ours && (await this.programs.isOpen(server));
  }

  private get allowed(): string[] {
    return this.context.globalState.get(ALLOWED, []);
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

  /** Do something and show what goes wrong with it. */
  async attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const message = reason(error);
      this.log.error(message);
      void vscode.window.showErrorMessage(message);
      return undefined;
    }
  }

  /**
   * Start the server, anew if it runs; false if there is none that may be started. One start at a
   * time: two servers would answer twice.
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
      const server = {
        command,
        args: ["lsp", "--log-file", this.logFile],
        options: await this.programs.surroundings(command),
      };
      this.client = createClient(server, this.log, this.pause, this.settings, {
        status: (status) => this.onStatus(status),
        suggested: (ms) => this.onSuggested(ms),
      });
      // The client itself shows why its server does not start.
      await this.client.start().catch((error) => this.log.error(reason(error)));
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
    await client?.dispose().catch((error) => this.log.warn(reason(error)));
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

  /** Tell the server something that nobody waits for, and that is lost where it does not run. */
  async tell(command: string, args: unknown[]): Promise<void> {
    await this.execute(command, args).catch((error) => this.log.warn(reason(error)));
  }

  /** The same as `execute` for a command that streams text. */
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
    try {
      const { last } = await this.execute<{ last: Partial<Cost> }>("caret.status");
      this.facts.cost = "decode_ms" in last ? (last as Cost) : undefined;
    } catch (error) {
      this.log.warn(reason(error)); // the server has ended since
    }
    this.draw();
  }
}

function openFolders(): string[] {
  return (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** For the `when` clauses of package.json. */
function setContext(name: string, value: boolean): void {
  void vscode.commands.executeCommand("setContext", name, value);
}
