// Builds the page into ../built, which ships: users need no Node.js. `make page` runs it.
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
const BUILT = join(HERE, "..", "built");
// Put in place once it is whole, so that a build that fails leaves the one before.
const FRESH = join(HERE, "..", "built.new");
const RUNTIME = join(HERE, "node_modules", "onnxruntime-web", "dist");
// What is served as it is, and what the page consists of besides.
const STATIC = join(HERE, "static");
const SOURCES = ["package.json", "package-lock.json", "tsconfig.json", "build.mjs", "src", "static"];

const builtFrom = hashes();
// The page says it, and the service worker keeps the files of one build together by it.
const BUILD = createHash("sha256").update(JSON.stringify(builtFrom)).digest("hex").slice(0, 12);

rmSync(FRESH, { recursive: true, force: true });
mkdirSync(FRESH);
cpSync(STATIC, FRESH, { recursive: true });
const { metafile } = await build({
  entryPoints: {
    page: join(HERE, "src/ui/page.ts"),
    device: join(HERE, "src/device/worker.ts"),
    model: join(HERE, "src/model/worker.ts"),
    offline: join(HERE, "src/ui/offline.ts"),
  },
  outdir: FRESH,
  metafile: true,
  bundle: true,
  format: "esm",
  target: ["es2022"],
  // The runtime in a file of its own, which its threads load too.
  conditions: ["onnxruntime-web-use-extern-wasm", "module"],
  minify: true,
  define: { BUILD: JSON.stringify(BUILD) },
  legalComments: "linked",
  logLevel: "info",
});
for (const name of ["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]) {
  writeFileSync(join(FRESH, `${name}.gz`), gzipSync(readFileSync(join(RUNTIME, name)), { level: 9 }));
}
writeFileSync(join(FRESH, "licences.txt"), licences(Object.keys(metafile.inputs)));
writeFileSync(join(FRESH, "sources.json"), `${JSON.stringify(builtFrom, null, 1)}\n`);
rmSync(BUILT, { recursive: true, force: true });
renameSync(FRESH, BUILT);

/** The licences of the packages that are in the page, which go where it goes. */
function licences(inputs) {
  const found = inputs.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]).filter(Boolean);
  return [...new Set(found)].sort().map(licence).join(`\n${"-".repeat(80)}\n`);
}

function licence(name) {
  const folder = join(HERE, "node_modules", name);
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  const text = file === undefined ? "" : `\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  return `${name} ${version}: ${license}\n${text}`;
}

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
