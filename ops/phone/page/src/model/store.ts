/** The models that this browser has, in its storage: each file in pieces, whole or gone on with at the next time. */

import type { OnProgress } from "../contract.ts";
import { ModelCorrupt } from "../errors.ts";
import { download, noRoom } from "./download.ts";
import { ask, lost, refuseAborted, Unreachable } from "./fetching.ts";
import { filesOf, type Manifest, type ModelFile, readManifest, sizeOf } from "./manifest.ts";
import { bytesOf, type Database, dropFile, using } from "./pieces.ts";
import { isSound, soundFile } from "./sound.ts";
import { throttled } from "./throttled.ts";

/** A model that is whole in the storage. It can be posted to a worker. */
export interface StoredModel {
  name: string;
  manifest: Manifest;
}

/** How much of a model is here. */
export interface Kept {
  name: string;
  /** Bytes of all its files, and how many of those are here. */
  total: number;
  bytes: number;
  /** Whether it is whole. */
  stored: boolean;
}

/** The models of this browser. */
export class ModelStore {
  readonly #base: string;

  /** @param base where models are served; beside this script if not given. */
  constructor(base: string = new URL("models/", self.location.href).href) {
    this.#base = base;
  }

  /**
   * Return what a model consists of, as the server says; waits for a server that still fetches it.
   *
   * @throws ModelError the server cannot be reached, or has no such model. Cancelled: `signal` was aborted.
   */
  async manifest(name: string, signal?: AbortSignal): Promise<Manifest> {
    const what = `The model ${name}`;
    const response = await ask(what, this.#url(name), signal);
    const json: unknown = await response.json().catch((error: unknown) => {
      throw lost(what, error, signal);
    });
    return readManifest(name, json);
  }

  /**
   * Return a model whose files are all here, verified when they came; fetch what is missing first.
   *
   * One that is whole here is also returned while the server cannot be reached.
   *
   * @param onProgress told bytes of the whole model, those that were here before included.
   * @throws ModelError it cannot be fetched, or there is no room for it (the message says how much it takes).
   * @throws ModelCorrupt the server gave twice something else than the manifest says.
   * @throws Cancelled `signal` was aborted; what came is kept, and gone on with at the next time.
   */
  async ensure(name: string, onProgress: OnProgress, signal?: AbortSignal): Promise<StoredModel> {
    return this.#alone(async (database) => {
      const manifest = await this.#wanted(database, name, signal);
      await requireRoom(database, manifest);
      await database.put("models", manifest, name);
      await sweep(database);
      await this.#fetch(database, manifest, throttled(onProgress), signal);
      return { name, manifest };
    });
  }

  /** Tell whether a model is whole here. */
  async has(name: string): Promise<boolean> {
    return (await this.list()).some((kept) => kept.name === name && kept.stored);
  }

  /** Return the models of which anything is here. */
  async list(): Promise<Kept[]> {
    return using(async (database) =>
      Promise.all((await database.getAll("models")).map((manifest) => kept(database, manifest))),
    );
  }

  /** Remove a model, and what came of it until now, once no fetching is under way; abort that first. */
  async remove(name: string): Promise<void> {
    await this.#alone(async (database) => {
      await database.delete("models", name);
      await sweep(database);
    });
  }

  /** Remove all models, as :meth:`remove` does. */
  async removeAll(): Promise<void> {
    await this.#alone(async (database) => {
      await database.clear("models");
      await sweep(database);
    });
  }

  async #wanted(database: Database, name: string, signal?: AbortSignal): Promise<Manifest> {
    try {
      return await this.manifest(name, signal);
    } catch (error) {
      const known = error instanceof Unreachable ? await database.get("models", name) : undefined;
      if (known && (await kept(database, known)).stored) return known;
      throw error;
    }
  }

  async #fetch(database: Database, manifest: Manifest, onProgress: OnProgress, signal?: AbortSignal): Promise<void> {
    const total = sizeOf(manifest);
    let done = 0;
    for (const file of filesOf(manifest)) {
      const before = done;
      const onBytes = (bytes: number) => onProgress({ done: before + bytes, total });
      await this.#verified(database, manifest.name, file, onBytes, signal);
      done += file.size;
      onProgress({ done, total });
    }
  }

  /** Fetch a file unless it is here. One that is corrupt is fetched once more, and then refused. */
  async #verified(
    database: Database,
    model: string,
    file: ModelFile,
    onBytes: (bytes: number) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    if (await isSound(database, file)) return;
    const url = this.#url(model, ...file.path.split("/"));
    const once = async () => {
      await download({ database, model, file, url }, onBytes, signal);
      refuseAborted(signal);
      await soundFile(database, model, file);
      await database.put("sound", true, file.sha256);
    };
    await once().catch(async (error: unknown) => {
      if (!(error instanceof ModelCorrupt)) throw error;
      await dropFile(database, file.sha256);
      await once();
    });
  }

  #url(...parts: string[]): string {
    return this.#base + parts.map(encodeURIComponent).join("/");
  }

  /** Change the storage while no other page of ours does. */
  async #alone<T>(change: (database: Database) => Promise<T>): Promise<T> {
    return navigator.locks.request("starai-models", () => using(change));
  }
}

async function kept(database: Database, manifest: Manifest): Promise<Kept> {
  const files = filesOf(manifest);
  const bytes = await Promise.all(files.map((file) => bytesOf(database, file)));
  const sound = await Promise.all(files.map((file) => isSound(database, file)));
  const here = bytes.reduce((sum, count) => sum + count, 0);
  return { name: manifest.name, total: sizeOf(manifest), bytes: here, stored: sound.every(Boolean) };
}

async function requireRoom(database: Database, manifest: Manifest): Promise<void> {
  const { total, bytes } = await kept(database, manifest);
  const { quota, usage = 0 } = (await navigator.storage?.estimate?.()) ?? {}; // WebKitGTK tells neither
  const missing = total - bytes - ((quota ?? Infinity) - usage);
  if (missing > 0) throw noRoom(manifest.name, missing);
}

/** Remove the files of no model. */
async function sweep(database: Database): Promise<void> {
  const wanted = new Set((await database.getAll("models")).flatMap(filesOf).map(({ sha256 }) => sha256));
  const here = new Set((await database.getAllKeys("pieces")).map(([sha256]) => sha256));
  for (const sha256 of here) if (!wanted.has(sha256)) await dropFile(database, sha256);
}
