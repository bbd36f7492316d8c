// Builds the model part for a page of its own into the folder that is given: tests and the benchmark use it.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const PAGE = join(dirname(fileURLToPath(import.meta.url)), "..");

await build({
  entryPoints: { model: join(PAGE, "src/model/worker.ts"), model_page: join(PAGE, "test/model_page.ts") },
  outdir: process.argv[2],
  bundle: true,
  format: "esm",
  target: ["es2022"],
  conditions: ["onnxruntime-web-use-extern-wasm", "module"],
  minify: true,
});
