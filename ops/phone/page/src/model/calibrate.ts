/** How many tasks of a small size this device does in a second (worker/calibrate.py); it runs one at a time. */

import type { Calibration, Host } from "../contract.ts";

/** One task: four sentences of 16 to 20 tokens each. */
const TASK = [
  "The river rose over its banks that night and took the old wooden bridge with it.",
  "Nobody in the small office could say who had ordered four hundred blue umbrellas.",
  "A warm wind from the south had melted most of the snow before the children woke up.",
  "She kept the letters of her grandmother in a tin box under the stairs for many years.",
];
/** How often it is tried, and the milliseconds of one try. */
const ROUNDS = 2;
const DURATION = 500;

/**
 * Measure a model that is loaded, for about a second; nobody else should use it meanwhile.
 *
 * @throws ModelError it failed.
 */
export async function calibrate(host: Host): Promise<Calibration> {
  await host.run(TASK); // the first run prepares much that the others find ready
  let best = 0;
  // The better one: whatever else the phone does can only slow it down.
  for (let round = 0; round < ROUNDS; round++) best = Math.max(best, await rate(host));
  return { slots: 1, tasks_per_second: best };
}

async function rate(host: Host): Promise<number> {
  const begin = performance.now();
  let done = 0;
  let now = begin;
  while (now < begin + DURATION) {
    await host.run(TASK);
    done += 1;
    now = performance.now();
  }
  return (done * 1000) / (now - begin);
}
