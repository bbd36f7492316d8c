/** ONNX Runtime for the web: the only module that imports it. It runs in a worker, on the processor. */

import { env, InferenceSession, Tensor } from "onnxruntime-web/wasm";

import { ModelError } from "../errors.ts";
import { boundMemory } from "./memory.ts";

/** Weights that a graph looks up beside itself, by the name that it calls them. */
export interface Weights {
  path: string;
  data: Uint8Array;
}

/** An array in or out. */
export interface Values {
  data: Float32Array | BigInt64Array;
  shape: number[];
}

/** A loaded graph with one output. */
export class Session {
  readonly #session: InferenceSession;

  constructor(session: InferenceSession) {
    this.#session = session;
  }

  /**
   * Run the graph and return its output, by its inputs' names.
   *
   * @throws ModelError the engine failed, for want of memory for example. The session can be used again.
   * @throws WebAssembly.RuntimeError the engine itself broke, and cannot be used any more.
   */
  async run(inputs: Record<string, Values>): Promise<Values> {
    const fed = Object.fromEntries(Object.entries(inputs).map(([name, values]) => [name, tensor(values)]));
    const outputs = await this.#session.run(fed).catch((error: unknown) => {
      throw failure("The model failed while it ran", error);
    });
    const output = outputs[this.#session.outputNames[0] ?? ""];
    if (!(output?.data instanceof Float32Array)) throw new ModelError("The model's output is of another type.");
    return { data: output.data, shape: [...output.dims] };
  }
}

/** Say how many threads the runtime uses, before any session: more than one need a page that is isolated. */
export function setUp(threads: number): void {
  boundMemory();
  env.logLevel = "error"; // the benchmark's weights are an input too, of which it would warn
  env.wasm.numThreads = self.crossOriginIsolated ? threads : 1;
  env.wasm.wasmPaths = { mjs: beside("ort-wasm-simd-threaded.mjs"), wasm: beside("ort-wasm-simd-threaded.wasm") };
}

/**
 * Load a graph.
 *
 * @throws ModelError the engine could not load it, or does not run here at all.
 */
export async function newSession(graph: Uint8Array, weights: Weights[] = []): Promise<Session> {
  const options: InferenceSession.SessionOptions = { executionProviders: ["wasm"], externalData: weights };
  try {
    return new Session(await InferenceSession.create(graph, options));
  } catch (error) {
    throw failure("The browser could not load the model", error);
  }
}

function tensor({ data, shape }: Values): Tensor {
  return data instanceof Float32Array ? new Tensor("float32", data, shape) : new Tensor("int64", data, shape);
}

/** What the engine says first; the rest is where in itself it happened. What broke it is passed on as it is. */
function failure(what: string, error: unknown): Error {
  if (error instanceof WebAssembly.RuntimeError) return error;
  const [line] = String(error instanceof Error ? error.message : error).split("\n");
  return new ModelError(`${what}: ${line}`, { cause: error });
}

function beside(file: string): string {
  return new URL(file, self.location.href).href;
}
