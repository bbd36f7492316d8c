// Builds the page into ../built, which ships: users need no Node.js. `make page` runs it.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const BUILT = join(HERE, "..", "built");
const RUNTIME = join(HERE, "node_modules", "onnxruntime-web", "dist");
// What is served as it is, and what the page consists of besides.
const STATIC = join(HERE, "static");
const SOURCES = ["package.json", "package-lock.json", "tsconfig.json", "build.mjs", "src", "static"];

rmSync(BUILT, { recursive: true, force: true });
mkdirSync(BUILT);
cpSync(STATIC, BUILT, { recursive: true });
await build({
  entryPoints: {
    page: join(HERE, "src/ui/page.ts"),
    device: join(HERE, "src/device/worker.ts"),
    model: join(HERE, "src/model/worker.ts"),
    offline: join(HERE, "src/ui/offline.ts"),
  },
  outdir: BUILT,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  legalComments: "linked",
  logLevel: "info",
});
for (const name of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) {
  writeFileSync(join(BUILT, `${name}.gz`), gzipSync(readFileSync(join(RUNTIME, name)), { level: 9 }));
}
writeFileSync(join(BUILT, "sources.json"), `${JSON.stringify(hashes(), null, 1)}\n`);

/** What the page was built from, so that a test can tell whether it still is. */
function hashes() {
  const files = SOURCES.flatMap((name) => listed(join(HERE, name))).sort();
  return Object.fromEntries(files.map((file) => [relative(HERE, file).split(sep).join("/"), sha256(file)]));
}

function listed(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => listed(join(path, name)));
}

function sha256(file) {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
