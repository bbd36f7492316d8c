/** A model in a worker of its own, seen from outside. */

import type { Host, Vectors } from "../contract.ts";
import { Cancelled, ModelError } from "../errors.ts";
import type { StoredModel } from "./store.ts";
import { Talk } from "./talk.ts";

/**
 * Load a model in a worker of its own, its files verified once more.
 *
 * A worker that dies rejects what ran there with a ModelError; the next run starts another one.
 * A file that is corrupt is removed from the store, so that `ensure` fetches it anew.
 *
 * @throws ModelCorrupt a file is missing or altered. ModelError: it cannot be loaded.
 */
export async function openHost(model: StoredModel, threads: number): Promise<Host> {
  const host = new WorkerHost(model, threads);
  await host.start();
  return host;
}

class WorkerHost implements Host {
  readonly #model: StoredModel;
  readonly #threads: number;
  #talk: Talk | null = null;
  #loaded: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(model: StoredModel, threads: number) {
    this.#model = model;
    this.#threads = threads;
  }

  /** Load the model and wait until it is ready. */
  async start(): Promise<Talk> {
    if (this.#isClosed) throw new ModelError(`The host of the model ${this.#model.name} is closed. Make a new one.`);
    const talk = this.#talk?.isAlive ? this.#talk : this.#begin();
    await this.#loaded;
    return talk;
  }

  async run(texts: string[], stop?: AbortSignal): Promise<Vectors> {
    const talk = await this.start();
    if (stop?.aborted) throw new Cancelled(`A task was cancelled before the model ${this.#model.name} ran it.`);
    return (await talk.ask({ type: "run", texts }, stop)) as Vectors;
  }

  close(): void {
    this.#isClosed = true;
    this.#talk?.end(`The model ${this.#model.name} was closed while it ran.`);
  }

  #begin(): Talk {
    const talk = new Talk();
    this.#talk = talk;
    this.#loaded = talk.ask({ type: "load", model: this.#model, threads: this.#threads }).catch((error: Error) => {
      talk.end(error.message); // so that the next run tries again
      throw error;
    });
    return talk;
  }
}
