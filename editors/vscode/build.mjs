// Bundles the extension, the panel's page and the unit tests: `node build.mjs [extension|tests]`.
import { readdirSync } from "node:fs";
import { build } from "esbuild";

const node = { bundle: true, platform: "node", format: "cjs", target: "node20" };

if (process.argv[2] === "tests") {
  const names = readdirSync("test").filter((name) => name.endsWith(".test.ts"));
  const entryPoints = names.map((name) => `test/${name}`);
  await build({ ...node, entryPoints, outdir: "out", sourcemap: "inline" });
} else {
  await build({
    ...node,
    entryPoints: { extension: "src/extension.ts" },
    external: ["vscode"],
    // A dependency's UMD build, which the "main" field names, cannot be bundled.
    mainFields: ["module", "main"],
    minify: true,
    outdir: "dist",
  });
  const page = ["src/page/page.ts", "src/page/page.css"];
  await build({
    entryPoints: page,
    bundle: true,
    minify: true,
    target: "chrome120",
    outdir: "dist",
  });
}
