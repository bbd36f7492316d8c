/** The worker with a model in it, or with the benchmark: does what it is told, one after the other. */

import type { Vectors } from "../contract.ts";
import { Cancelled, ModelError } from "../errors.ts";
import { benchmark } from "./benchmark.ts";
import type { Embedding } from "./embedding.ts";
import { load } from "./load.ts";
import { type Answer, faultOf, type Request, type Speed } from "./messages.ts";
import { turn } from "./turn.ts";

const cancelled = new Set<number>();
let model: { name: string; embedding: Embedding } | null = null;
let last: Promise<void> = Promise.resolve();

self.addEventListener("message", ({ data }: MessageEvent<Request>) => {
  if (data.type === "cancel") cancelled.add(data.id);
  else last = last.then(() => answer(data));
});

async function answer(request: Exclude<Request, { type: "cancel" }>): Promise<void> {
  const { id } = request;
  try {
    const made = await make(request);
    say({ type: "done", id, made }, made && "data" in made ? [made.data.buffer] : []);
  } catch (error) {
    say({ type: "failed", id, fault: faultOf(error) });
  } finally {
    cancelled.delete(id);
  }
}

async function make(request: Exclude<Request, { type: "cancel" }>): Promise<Vectors | Speed | null> {
  const { id } = request;
  if (request.type === "run") return run(id, request.texts);
  if (request.type === "benchmark") return benchmark(request.threads, (part) => say({ type: "told", id, part }));
  model = { name: request.model.name, embedding: await load(request.model, request.threads) };
  return null;
}

async function run(id: number, texts: string[]): Promise<Vectors> {
  if (!model) throw new ModelError("No model is loaded.");
  const { name, embedding } = model;
  return embedding.run(texts, async () => {
    await turn();
    if (cancelled.has(id)) throw new Cancelled(`A task was cancelled while the model ${name} ran it.`);
  });
}

function say(message: Answer, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}
