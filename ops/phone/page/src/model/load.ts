/** Loading a model from the storage, its files verified. */

import { Embedding } from "./embedding.ts";
import { fileNamed, type Manifest, type ModelFile } from "./manifest.ts";
import { using } from "./pieces.ts";
import { newSession, setUp } from "./runtime.ts";
import { soundFile } from "./sound.ts";
import type { StoredModel } from "./store.ts";
import { Tokenizer } from "./tokenizer.ts";

type Content = Uint8Array<ArrayBuffer>;

/**
 * Load a model that embeds.
 *
 * @throws ModelCorrupt a file is missing or altered; it was removed. ModelError: the engine could not load it.
 */
export async function load(model: StoredModel, threads: number): Promise<Embedding> {
  const { manifest } = model;
  const { graph, files } = await read(model);
  const json = new TextDecoder().decode(files.get(fileNamed(manifest, "tokenizer.json")));
  const tokenizer = new Tokenizer(json, manifest.longest);
  setUp(threads);
  return new Embedding(await newSession(graph, weightsOf(manifest, files)), tokenizer);
}

async function read({ name, manifest }: StoredModel): Promise<{ graph: Content; files: Map<ModelFile, Content> }> {
  return using(async (database) => {
    const files = new Map<ModelFile, Content>();
    for (const file of manifest.files) files.set(file, await soundFile(database, name, file));
    return { graph: await soundFile(database, name, manifest.graph), files };
  });
}

/** What the graph may look up: the engine copies what it needs of that, and the rest is let go with it. */
function weightsOf({ files }: Manifest, contents: Map<ModelFile, Content>) {
  const binary = files.filter(({ path }) => !path.endsWith(".json"));
  return binary.map((file) => ({ path: file.path, data: contents.get(file) ?? new Uint8Array() }));
}
