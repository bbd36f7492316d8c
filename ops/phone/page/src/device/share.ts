/** How much of the phone is lent (models/share.py). */

import type { Measurement, Preferences } from "../contract.ts";

/** The share of memory and the number of threads, as models/claim.py has them. */
export interface Share {
  memory: number;
  threads: number;
}

/** Shares of memory that are offered, one after the other, until a model fits: a phone lends no more than it must. */
export const MEMORY: readonly number[] = [0.15, 0.3];

/** Return how many threads models may use: as the owner says, else half of the cores. */
export function threadsOf(measured: Measurement, preferences: Preferences): number {
  return preferences.threads ?? Math.max(1, Math.floor(measured.threads / 2));
}
