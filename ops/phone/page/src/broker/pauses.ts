/** How long to wait before the next connection. No clock. */

import type { End } from "./session.ts";

/** Milliseconds: after the first loss in a row, after the first refused login, after a refusal of what was asked. */
export interface Pauses {
  lost: number;
  login: number;
  permission: number;
  longest: number;
}

export const PAUSES: Pauses = { lost: 1_000, login: 5_000, permission: 5_000, longest: 60_000 };

// Devices that lost the broker at the same moment are not to come back at the same moment.
const LEAST_SHARE = 0.5;
// Beyond that many doublings every pause is the longest.
const MOST_DOUBLINGS = 30;

/** The failures in a row: the pause after each is twice the one before, within a bound. */
export class Patience {
  private readonly pauses: Pauses;
  private readonly random: () => number;
  private failures = 0;

  constructor(pauses: Pauses = PAUSES, random: () => number = Math.random) {
    this.pauses = pauses;
    this.random = random;
  }

  /** Count an end, and return how many milliseconds to wait now. */
  after(kind: End["kind"]): number {
    const doublings = Math.min(this.failures++, MOST_DOUBLINGS);
    const pause = Math.min(this.pauses[kind] * 2 ** doublings, this.pauses.longest);
    return pause * (LEAST_SHARE + (1 - LEAST_SHARE) * this.random());
  }

  /** Begin anew: the next failure is the first. */
  succeeded(): void {
    this.failures = 0;
  }
}
