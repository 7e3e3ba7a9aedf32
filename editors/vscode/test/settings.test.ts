import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { forServer } from "../src/settings";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const properties = Object.assign(
  {},
  ...manifest.contributes.configuration.map((part: { properties: object }) => part.properties),
);

test("the server does not get the extension's own settings", () => {
  const section = { vscode: { serverPath: "/x" }, fim: { model: "m" } };
  assert.deepEqual(forServer(section), { fim: { model: "m" } });
  assert.equal(forServer(null), null);
});

test("an untrusted workspace sets no program, model or server", () => {
  const { supported, restrictedConfigurations } = manifest.capabilities.untrustedWorkspaces;
  assert.equal(supported, "limited");
  const dangerous = Object.keys(properties).filter((name) =>
    /(Path|model|endpoint|exclude)$/.test(name),
  );
  assert.deepEqual([...restrictedConfigurations].sort(), dangerous.sort());
});

test("every setting is described, and its default is of its type", () => {
  for (const [name, property] of Object.entries<Record<string, unknown>>(properties)) {
    assert.ok(property.markdownDescription, name);
    const type = Array.isArray(property.default) ? "array" : typeof property.default;
    assert.equal(property.type === "integer" ? "number" : property.type, type, name);
  }
});
