/** How good a choice this device is for a queue now: the very integer of broker_config/priority.py. */

import type { Region } from "../contract.ts";
import { distance } from "./regions.ts";

const GOOD_STANDING = 64;
const IDLE = 17;
const LOCALITY = 12;
const SPEED = 34;

/**
 * What a consumer's priority follows from.
 *
 * load: the share of the device that is busy before it takes the task. speed: how fast it runs the model against
 * others. sound: whether it is in good standing.
 */
export interface Choice {
  home: Region;
  queue: Region;
  load: number;
  speed: number;
  sound: boolean;
}

/** Return the `x-priority` of one consumer, from 0 to 127. */
export function priority({ home, queue, load, speed, sound }: Choice): number {
  const idle = IDLE * (1 - share(load));
  const locality = LOCALITY * (1 - distance(home, queue));
  return (sound ? GOOD_STANDING : 0) + roundHalfToEven(idle + locality + SPEED * share(speed));
}

function share(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** Round as Python does. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
