/** What this device says of itself when it is probed (worker/readings.py). A browser does not tell more. */

import type { Readings } from "../wire/probe.ts";
import type { Lane } from "./lane.ts";
import type { Line } from "./line.ts";
import { plain } from "./reason.ts";
import { sleep } from "./sleep.ts";

/** Seconds within which readings are taken, whatever hangs. */
export const TAKEN_WITHIN = 1.5;

const PROVIDER = "WasmExecutionProvider";

/** What is asked of the device's work. */
export interface Observed {
  lanes: readonly Lane[];
  lines: readonly Line[];
  paused: string | null;
}

/** Return how the device is. */
export async function takeReadings({ lanes, lines, paused }: Observed): Promise<Readings> {
  const disk_left = await diskLeft();
  const broken = brokenOf(lanes);
  return {
    load: Math.max(0, ...lanes.map((lane) => lane.meter.step)),
    processor: null,
    temperature: null,
    memory_left: null,
    disk_left,
    gpus: [],
    provider: PROVIDER,
    provider_fault: null,
    models: lanes.map((lane) => lane.model).filter((model) => !(model in broken)),
    broken,
    running: lanes.filter((lane) => lane.running !== null).length,
    held: lanes.reduce((sum, lane) => sum + lane.held.length, 0),
    unsettled: 0,
    consumers: lines.reduce((sum, line) => sum + line.consumers, 0),
    paused: paused === null ? null : plain(paused),
  };
}

function brokenOf(lanes: readonly Lane[]): Record<string, string> {
  const broken = lanes.flatMap(({ model, recovery: { reason } }) => (reason === null ? [] : [[model, plain(reason)]]));
  return Object.fromEntries(broken) as Record<string, string>;
}

/** Return how many bytes the browser lets the page store; `null` where it does not tell. */
async function diskLeft(): Promise<number | null> {
  const estimate = globalThis.navigator?.storage?.estimate?.();
  const found = await Promise.race([estimate, sleep(TAKEN_WITHIN)]).catch(() => undefined);
  return found?.quota === undefined ? null : Math.max(found.quota - (found.usage ?? 0), 0);
}
