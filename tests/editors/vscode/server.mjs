// VS Code's server and the browser that draws its windows.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { join } from "node:path";
import { Editor } from "./editor.mjs";
import { DEADLINE_MS, until } from "./wait.mjs";

const SETTINGS = {
  "chat.disableAIFeatures": true,
  "editor.accessibilitySupport": "off",
  "editor.autoClosingBrackets": "never",
  "editor.autoClosingQuotes": "never",
  "editor.minimap.enabled": false,
  "editor.scrollBeyondLastLine": false,
  "editor.quickSuggestions": { other: "off", comments: "off", strings: "off" },
  "editor.suggestOnTriggerCharacters": false,
  "extensions.autoUpdate": false,
  "extensions.autoCheckUpdates": false,
  "extensions.ignoreRecommendations": true,
  "files.autoSave": "off",
  "files.hotExit": "off",
  "git.enabled": false,
  "json.schemaDownload.enable": false,
  "npm.fetchOnlinePackageInfo": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "typescript.disableAutomaticTypeAcquisition": true,
  "update.mode": "none",
  "workbench.activityBar.location": "hidden",
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.enableExperiments": false,
  "workbench.reduceMotion": "on",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
};
const CHROMIUM = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];
const SIZE = { width: 1000, height: 480 };

/** A running code-server; `place` is the folder with the workspace, user data and extensions. */
export class Server {
  constructor(options) {
    this.options = options;
    this.workspace = join(options.place, "workspace");
    this.written = "";
  }

  async start() {
    const { program, place } = this.options;
    const user = join(place, "user");
    mkdirSync(this.workspace, { recursive: true });
    this.choose(this.program());
    this.port = await freePort();
    const [node, ...entry] = program;
    const quiet = ["--disable-telemetry", "--disable-update-check", "--disable-getting-started-override"];
    this.process = spawn(
      node,
      [
        ...[...entry, "--bind-addr", `127.0.0.1:${this.port}`, "--auth", "none", ...quiet],
        ...["--disable-proxy", "--user-data-dir", user],
        ...["--extensions-dir", join(place, "extensions"), this.workspace],
      ],
      { stdio: ["ignore", "pipe", "pipe"], env: this.environment() },
    );
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (data) => {
        this.written += data;
      });
    }
    await until("code-server listens", () => this.written.includes("HTTP server listening"));
  }

  /** Name the program of the server as the user does; a remote machine has settings of its own. */
  choose(program) {
    const { place, settings } = this.options;
    writeSettings(join(place, "user", "Machine"), { ...settings, "caret.vscode.serverPath": program });
  }

  environment() {
    const { place } = this.options;
    return {
      ...process.env,
      EXTENSIONS_GALLERY: '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}',
      XDG_DATA_HOME: join(place, "data"),
      XDG_CONFIG_HOME: join(place, "config"),
    };
  }

  /**
   * A window in a browser of its own, with a file open if one is named; `settings` are the user's,
   * beside the usual ones, until the next window is opened.
   */
  async open({ folder = this.workspace, file, settings = {} } = {}) {
    writeSettings(join(this.options.place, "user", "User"), { ...SETTINGS, ...settings });
    const require = createRequire(join(this.options.playwright, "package.json"));
    const { chromium } = require("playwright-core");
    this.browser ??= await chromium.launch({ executablePath: this.options.chromium, args: CHROMIUM });
    const context = await this.browser.newContext({ viewport: SIZE });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    await page.goto(this.address(folder, file));
    await page.waitForSelector(".monaco-workbench");
    this.newest = new Editor(this, page, folder);
    await this.newest.statusSoon(/Caret/);
    await this.newest.press("Control+b"); // without the side bar
    return this.newest;
  }

  address(folder, file) {
    const host = `127.0.0.1:${this.port}`;
    const opened = file ? [["openFile", `vscode-remote://${host}${join(folder, file)}`]] : [];
    return `http://${host}/?${new URLSearchParams({ folder, payload: JSON.stringify(opened) })}`;
  }

  /** A folder beside the workspace, with settings of its own. */
  folder(name, settings) {
    const folder = join(this.options.place, name);
    writeSettings(join(folder, ".vscode"), settings);
    return folder;
  }

  /** A program that is `caret`, writes down when it is run, and has other variables in a command. */
  program(name = "caret", variables = {}) {
    const path = join(this.options.place, name);
    const set = Object.entries(variables).map(([command, values]) => {
      const exported = Object.entries(values).map(([key, value]) => `${key}='${value}'`);
      return `[ "$1" = ${command} ] && export ${exported.join(" ")}`;
    });
    const caret = this.options.settings["caret.vscode.serverPath"];
    const lines = ["#!/bin/sh", 'echo "$@" >> "$0.runs"', ...set, `exec '${caret}' "$@"`];
    writeFileSync(path, lines.join("\n"), { mode: 0o755 });
    return path;
  }

  /** The arguments of each time that such a program was run. */
  runs(program) {
    const written = `${program}.runs`;
    return existsSync(written) ? readFileSync(written, "utf8").trim().split("\n") : [];
  }

  async closeWindows() {
    await Promise.all((this.browser?.contexts() ?? []).map((context) => context.close()));
  }

  /** Close the browser; whoever started this process ends its group, code-server with it. */
  async stop() {
    await this.browser?.close();
    this.process?.kill();
  }
}

function freePort() {
  return new Promise((resolve) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

function writeSettings(folder, values) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "settings.json"), JSON.stringify(values));
}

/** The process that holds the model of a CARET_HOME. */
export function enginePid(home) {
  const address = join(home, "run", "engine.json");
  return JSON.parse(readFileSync(address, "utf8")).pid;
}
