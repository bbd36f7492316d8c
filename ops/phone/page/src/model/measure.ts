/** What this phone is, and how fast: measured in a worker of its own. */

import type { Measurement, OnProgress } from "../contract.ts";
import { ModelError } from "../errors.ts";
import type { Speed } from "./messages.ts";
import { findPhone } from "./phone.ts";
import { Talk } from "./talk.ts";

/** Steps of the benchmark with one number of threads, as they are told. */
const STEPS = 100;

/**
 * Measure this device, for a few seconds: with one thread, and with all of them where a browser has threads.
 *
 * @param lent the most threads that its owner lends; all if not given.
 * @throws ModelError the runtime does not work here, or there is too little memory.
 */
export async function measure(onProgress: OnProgress, lent: number | null = null): Promise<Measurement> {
  const phone = await findPhone(navigator);
  const most = self.crossOriginIsolated ? Math.min(lent ?? phone.threads, phone.threads) : 1;
  const total = most > 1 ? 2 * STEPS : STEPS;
  const tell = (before: number) => (part: number) => onProgress({ done: before + part * STEPS, total });
  const speeds = [await speed(1, tell(0))];
  if (most > 1) speeds.push(...(await speedOfMore(most, tell(STEPS))));
  onProgress({ done: total, total });
  return {
    ...phone,
    machine_class: "phone",
    gpus: [],
    provider: "WasmExecutionProvider",
    not_loaded: null,
    generates_on: [],
    speeds,
  };
}

/** Nothing where threads do not work, as where there are not enough addresses for them: one thread does all then. */
async function speedOfMore(threads: number, onPart: (part: number) => void): Promise<Speed[]> {
  try {
    return [await speed(threads, onPart)];
  } catch (error) {
    if (error instanceof ModelError) return [];
    throw error;
  }
}

async function speed(threads: number, onPart: (part: number) => void): Promise<Speed> {
  const talk = new Talk();
  try {
    return (await talk.ask({ type: "benchmark", threads }, undefined, onPart)) as Speed;
  } finally {
    talk.end("The benchmark has ended.");
  }
}
