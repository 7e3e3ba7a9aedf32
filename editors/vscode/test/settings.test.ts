import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { declared, Settings, type Values } from "../src/settings";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const properties = declared(manifest) as Record<
  string,
  Record<string, unknown> & { scope: string }
>;
/** The settings that a workspace may set too. */
const WORKSPACE = [
  "caret.completion.confidence",
  "caret.completion.enable",
  "caret.completion.maxTokens",
  "caret.completion.multiline",
  "caret.context.definitions",
  "caret.context.recent",
  "caret.context.search",
  "caret.instruct.maxTokens",
  "caret.privacy.exclude",
  "caret.vscode.pausedLanguages",
];

/** Settings with the defaults of package.json, and these values by their full names. */
function settings(values: Record<string, Values> = {}): Settings {
  return new Settings(properties, (name) => ({
    defaultValue: properties[name]?.default,
    ...values[name],
  }));
}

test("the server does not get the extension's own settings", () => {
  const { fim, vscode } = settings({ "caret.fim.model": { globalValue: "m" } }).forServer();
  assert.equal(fim?.model, "m");
  assert.equal(vscode, undefined);
});

test("every setting is the user's alone, or one that a workspace may narrow or shape", () => {
  const machine = Object.keys(properties).filter((name) => properties[name]?.scope === "machine");
  assert.deepEqual([...machine, ...WORKSPACE].sort(), Object.keys(properties).sort());
  for (const name of WORKSPACE) {
    assert.equal(properties[name]?.scope, "window", name);
    // What a workspace can switch off must do less when it is off.
    assert.ok(properties[name]?.type !== "boolean" || properties[name]?.default === true, name);
  }
});

test("a workspace sets no program, model, host or format, however it writes that", () => {
  const hostile = Object.fromEntries(
    Object.keys(properties).map((name) => [name, { workspaceValue: "https://elsewhere.example" }]),
  );
  const trusting = settings(hostile);
  for (const [name, { scope, default: standard }] of Object.entries(properties)) {
    if (scope === "machine") {
      assert.deepEqual(trusting.get(name), standard, name);
    }
  }
  assert.equal(trusting.forServer().fim?.endpoint, "");
});

test("a workspace adds to what is excluded, and takes nothing away", () => {
  const exclude = (globalValue: unknown, workspaceValue: unknown) =>
    settings({ "caret.privacy.exclude": { globalValue, workspaceValue } }).forServer().privacy
      ?.exclude as string[];
  assert.deepEqual(exclude(["a"], ["b", "!a", "a", 3, null]), ["a", "b"]);
  assert.deepEqual(exclude(["a"], []), ["a"]);
  assert.deepEqual(exclude(["a", "!b"], "c"), ["a", "!b", "c"]);
  assert.deepEqual(exclude(["a"], null), ["a"]);
  assert.ok(exclude(undefined, ["b"]).includes(".env"));
  assert.equal(exclude("wrong", undefined), "wrong", "the server says what is wrong with it");
});

test("a workspace switches off, never on", () => {
  const enabled = (globalValue: unknown, workspaceValue: unknown) =>
    settings({ "caret.completion.enable": { globalValue, workspaceValue } }).forServer().completion
      ?.enable;
  assert.equal(enabled(true, false), false);
  assert.equal(enabled(false, true), false);
  assert.equal(enabled(undefined, false), false);
  assert.equal(enabled(undefined, undefined), true);
});

test("a workspace shapes suggestions", () => {
  const values = { globalValue: "never", workspaceValue: "always" };
  const { completion } = settings({ "caret.completion.multiline": values }).forServer();
  assert.equal(completion?.multiline, "always");
});

test("every setting is described, and its default is of its type", () => {
  for (const [name, property] of Object.entries(properties)) {
    assert.ok(property.markdownDescription, name);
    const type = Array.isArray(property.default) ? "array" : typeof property.default;
    assert.equal(property.type === "integer" ? "number" : property.type, type, name);
  }
});
