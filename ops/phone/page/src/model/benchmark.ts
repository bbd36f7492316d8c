/** How fast the runtime computes and reads memory on this phone: worker/benchmark/run.py, in a phone's measure. */

import { COLUMNS, matmulGraph, ROWS, weightsGraph } from "./graphs.ts";
import type { Speed } from "./messages.ts";
import { newSession, type Session, setUp, type Values } from "./runtime.ts";

/** How often each probe runs, spread over the whole benchmark: something else may be busy for a while. */
const ROUNDS = 3;
/** Milliseconds that one run of a probe takes. */
const DURATION = 200;
/** Large enough to come near the peak, small enough for a slow phone. */
const SIDE = 512;

/** Inputs for a graph, and how much work they are: operations or bytes, in units of 10^9. */
interface Probe {
  session: Session;
  inputs: Record<string, Values>;
  work: number;
}

/**
 * Measure with that number of threads; the figures are those of the fastest calls. A worker measures once.
 *
 * @param onPart told after each run which part is done, from 0 to 1.
 * @throws ModelError the runtime does not work here, for want of memory for example.
 */
export async function benchmark(threads: number, onPart: (part: number) => void): Promise<Speed> {
  setUp(threads);
  const probes = [await compute(), await memory()];
  const rates: number[][] = probes.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [place, probe] of probes.entries()) {
      rates[place]?.push(await rate(probe));
      onPart((round * probes.length + place + 1) / (ROUNDS * probes.length));
    }
  }
  const [gflops = 0, gb_per_s = 0] = rates.map((found) => Math.max(...found));
  return { threads, gflops, gb_per_s };
}

async function compute(): Promise<Probe> {
  const matrix = () => ({ data: noise(SIDE * SIDE), shape: [SIDE, SIDE] });
  const session = await newSession(matmulGraph());
  return { session, inputs: { a: matrix(), b: matrix() }, work: (2 * SIDE ** 3) / 1e9 };
}

async function memory(): Promise<Probe> {
  const weights = new Float32Array(ROWS * COLUMNS).fill(1);
  const session = await newSession(weightsGraph(), [{ path: "weights", data: new Uint8Array(weights.buffer) }]);
  const inputs = { a: { data: new Float32Array(ROWS).fill(1), shape: [1, ROWS] } };
  return { session, inputs, work: weights.byteLength / 1e9 };
}

function noise(length: number): Float32Array {
  return Float32Array.from({ length }, () => Math.random() - 0.5);
}

/**
 * Return work per second of the fastest call; the first one warms up and does not count.
 *
 * A browser tells no processor time, and whatever else the phone does can only slow a call down.
 */
async function rate({ session, inputs, work }: Probe): Promise<number> {
  await session.run(inputs);
  const end = performance.now() + DURATION;
  let fastest = Number.POSITIVE_INFINITY;
  for (let begin = performance.now(); begin < end; begin = performance.now()) {
    await session.run(inputs);
    fastest = Math.min(fastest, performance.now() - begin);
  }
  return (work * 1000) / fastest;
}
