/** A deployment: one model that a device hosts, as the platform tells the device (tasks/deployment.py). */

import type { Deployment } from "../contract.ts";
import { type Check, defaulted, number, oneOf, optional, record, text, whole } from "./check.ts";

interface Read extends Deployment {
  gpu: number | null;
  memory_bytes: number | null;
}

const READ = record<Read>({
  model: text({ most: 63 }),
  tier: oneOf("large", "medium", "small", "tiny"),
  slots: defaulted(whole({ least: 1, most: 64 }), 1),
  speed: defaulted(number({ least: 0, most: 1 }), 0.5),
  threads: optional(whole({ least: 1, most: 8192 })),
  gpu: optional(whole({ least: 0, most: 63 })),
  memory_bytes: optional(whole({ least: 0, most: 2 ** 50 })),
});

/** A deployment; what it says of a GPU is not kept, because no phone's is used. */
export const DEPLOYMENT: Check<Deployment> = (value, where) => {
  const { model, tier, slots, speed, threads } = READ(value, where);
  return { model, tier, slots, speed, threads };
};
