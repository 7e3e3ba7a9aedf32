// VS Code as a person has it: drawn in a browser, driven by keys and the mouse.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { join } from "node:path";

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
const DEADLINE_MS = 60000;
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A running code-server; `place` is the folder with the workspace, user data and extensions. */
export class Server {
  constructor(options) {
    this.options = options;
    this.workspace = join(options.place, "workspace");
    this.written = "";
  }

  async start() {
    const { program, place, settings } = this.options;
    const user = join(place, "user");
    mkdirSync(this.workspace, { recursive: true });
    // The server's machine is a remote one to VS Code: paths on it stand in settings of its own.
    for (const [scope, values] of Object.entries({ User: SETTINGS, Machine: settings })) {
      mkdirSync(join(user, scope), { recursive: true });
      writeFileSync(join(user, scope, "settings.json"), JSON.stringify(values));
    }
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

  environment() {
    const { place } = this.options;
    return {
      ...process.env,
      EXTENSIONS_GALLERY: '{"serviceUrl":"","itemUrl":"","resourceUrlTemplate":""}',
      XDG_DATA_HOME: join(place, "data"),
      XDG_CONFIG_HOME: join(place, "config"),
    };
  }

  /** A window in a browser of its own. */
  async open() {
    const require = createRequire(join(this.options.playwright, "package.json"));
    const { chromium } = require("playwright-core");
    this.browser ??= await chromium.launch({ executablePath: this.options.chromium, args: CHROMIUM });
    const context = await this.browser.newContext({ viewport: SIZE });
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    page.setDefaultTimeout(DEADLINE_MS);
    await page.goto(`http://127.0.0.1:${this.port}/?folder=${this.workspace}`);
    await page.waitForSelector(".monaco-workbench");
    this.newest = new Editor(this, page);
    await this.newest.statusSoon(/Caret/);
    await this.newest.press("Control+b"); // without the side bar
    return this.newest;
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

/** One window. */
export class Editor {
  constructor(server, page) {
    this.server = server;
    this.page = page;
  }

  /** Write a file in the workspace and open it with the caret at its end. */
  async open(name, text) {
    const path = join(this.server.workspace, name);
    writeFileSync(path, text);
    await this.choose("Control+p", path, `[aria-label^="${name}"]`);
    await this.page.waitForSelector(`.tab.active[data-resource-name="${name}"]`);
    await this.focus();
    await this.press("Control+End");
  }

  /** Give the code the keyboard. */
  focus() {
    return this.page.click(".editor-instance .monaco-editor .view-lines");
  }

  /** Save and close everything, so that a scenario finds an empty window. */
  async reset() {
    await this.press("Escape", "Escape");
    await this.command("File: Save All Files");
    await until("all is saved", async () => !(await this.page.$(".tab.dirty")));
    await this.command("View: Close All Editors");
    await until("all is closed", async () => !(await this.page.$(".editor-instance")));
  }

  close() {
    return this.page.context().close();
  }

  /** All that a person could tell about a failure. */
  async seen() {
    await this.command("Notifications: Show Notifications");
    const said = await this.page.$$eval(".notification-list-item-message", (all) =>
      all.map((message) => message.textContent),
    );
    return { lines: await this.lines(), status: await this.status(), said };
  }

  type(text, delay = 30) {
    return this.page.keyboard.type(text, { delay });
  }

  async press(...keys) {
    for (const key of keys) {
      await this.page.keyboard.press(key);
    }
  }

  /** Run a command by its title, as from the palette. */
  async command(title) {
    await this.choose("F1", `>${title}`, `:is([aria-label="${title}"], [aria-label^="${title},"])`);
  }

  /** Type into the box that a key opens and take the row that fits; anew where the box closes. */
  choose(key, text, row) {
    const soon = { timeout: DEADLINE_MS / 6 };
    return until(`${text} in the box`, async () => {
      await this.press(key);
      try {
        await this.page.fill(".quick-input-box input:visible", text, soon);
        await this.page.click(`.quick-input-list .monaco-list-row${row}`, soon);
        return true;
      } catch {
        return false;
      }
    });
  }

  /** The lines that are drawn, without ghost text. */
  lines() {
    return this.page.evaluate(() => {
      const GHOST = "[class*=ghost-text], .suggest-preview-text";
      const lines = [...document.querySelectorAll(".editor-instance .view-lines > .view-line")];
      lines.sort((a, b) => Number.parseInt(a.style.top) - Number.parseInt(b.style.top));
      return lines.map((line) => {
        const copy = line.cloneNode(true);
        for (const ghost of copy.querySelectorAll(GHOST)) ghost.remove();
        return copy.textContent.replaceAll("\u00a0", " ");
      });
    });
  }

  /** The ghost text: what stands in the caret's line, then the lines below. */
  ghost() {
    return this.page.evaluate(() => {
      const texts = (selector) =>
        [...document.querySelectorAll(`.editor-instance ${selector}`)].map((node) =>
          node.textContent.replaceAll("\u00a0", " "),
        );
      const first = texts(".view-lines > .view-line [class*=ghost-text]").join("");
      return [first, ...texts(".view-zones .view-line")].join("\n").trimEnd();
    });
  }

  /** The same once there is some behind the caret, and it stays: lines are drawn one by one. */
  ghostSoon() {
    let before;
    return until("ghost text", async () => {
      const ghost = await this.ghost();
      const stays = ghost === before;
      before = ghost;
      return stays && ghost.split("\n")[0].trim() && ghost;
    });
  }

  /** The page in Caret's panel. */
  panel() {
    return until("the panel", async () => {
      for (const frame of this.page.frames()) {
        if (await frame.$("#turns").catch(() => undefined)) return frame;
      }
      return undefined;
    });
  }

  /** What the status bar says of Caret: its icon's name and the tooltip. */
  status() {
    return this.page.evaluate(() => {
      const item = [...document.querySelectorAll(".statusbar-item")].find((each) =>
        each.id.includes("caret.status"),
      );
      const icon = item?.querySelector(".codicon")?.className ?? "";
      return `${icon} ${item?.getAttribute("aria-label") ?? item?.querySelector("a")?.getAttribute("aria-label") ?? ""}`;
    });
  }

  statusSoon(wanted) {
    return until(`status ${wanted}`, async () => {
      const status = await this.status();
      return wanted.test(status) && status;
    });
  }

  /** The file on disk, once it is saved. */
  async saved(name) {
    await this.press("Control+S");
    await this.page.waitForSelector(`.tab.active:not(.dirty)[data-resource-name="${name}"]`);
    return readFileSync(join(this.server.workspace, name), "utf8");
  }

  shot(name) {
    return this.page.screenshot({ path: join(this.server.options.shots, `${name}.png`) });
  }
}

/** What `look` gives, once it is true. */
export async function until(what, look, deadline = DEADLINE_MS) {
  const end = Date.now() + deadline;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (Date.now() > end) {
      throw new Error(`not within ${deadline} ms: ${what}`);
    }
    await pause(30);
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

/** The process that holds the model. */
export function enginePid(server) {
  const address = join(server.options.home, "run", "engine.json");
  return JSON.parse(readFileSync(address, "utf8")).pid;
}
