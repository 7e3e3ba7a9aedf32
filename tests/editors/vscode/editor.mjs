// A window of VS Code as a person has it, driven by keys and the mouse.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEADLINE_MS, until } from "./wait.mjs";

/** One window, on a folder. */
export class Editor {
  constructor(server, page, folder) {
    this.server = server;
    this.page = page;
    this.folder = folder;
  }

  /** Write a file in the folder and open it with the caret at its end. */
  async open(name, text) {
    const path = join(this.folder, name);
    writeFileSync(path, text);
    await this.choose("Control+p", path, `[aria-label^="${name}"]`);
    await this.atEnd(name);
  }

  /** Put the caret at the end of a file that is being opened. */
  async atEnd(name) {
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
    return readFileSync(join(this.folder, name), "utf8");
  }

  shot(name) {
    return this.page.screenshot({ path: join(this.server.options.shots, `${name}.png`) });
  }
}
