/**
 * When the device listens abroad, and where: one foreign region at a time, the nearest first, in turn. No clock.
 *
 * It is two changes of subscriptions to listen anywhere, the beginning and the end, so that each place has two seconds
 * at least: about one change a second, which all nodes of a cluster have to agree on.
 */

import type { Region } from "../contract.ts";
import { abroadOf } from "./regions.ts";

/** Seconds for which nothing has run before the device listens abroad. */
export const SETTLED = 1;
/** Seconds in one region, and between two beginnings, for each model that is listened for. */
export const DWELL = 2;

export class Abroad {
  readonly #regions: readonly Region[];
  readonly #dwell: number;
  #next = 0;
  #idleSince: number | null = null;
  #beganAt = -Infinity;
  #at: Region | null = null;

  constructor(home: Region, models: number) {
    this.#regions = abroadOf(home);
    this.#dwell = DWELL * Math.max(models, 1);
  }

  /**
   * Return the region to listen in now, or `null`.
   *
   * isIdle: nothing runs or is held that came from home, and the device may take tasks. hasTask: a task from there is
   * under way, which is never cut off.
   */
  look(isIdle: boolean, hasTask: boolean, now: number): Region | null {
    if (hasTask) return this.#at;
    this.#idleSince = isIdle ? (this.#idleSince ?? now) : null;
    if (this.#idleSince === null) return this.#leave();
    if (this.#at !== null && now - this.#beganAt < this.#dwell) return this.#at;
    if (now - this.#beganAt < this.#dwell || now - this.#idleSince < SETTLED) return this.#leave();
    return this.#enter(now);
  }

  /** A task came from the region that is listened in: stay as long again, others may wait there. */
  found(now: number): void {
    this.#beganAt = now;
  }

  #enter(now: number): Region | null {
    this.#at = this.#regions[this.#next] ?? null;
    this.#next = (this.#next + 1) % this.#regions.length;
    this.#beganAt = now;
    return this.#at;
  }

  #leave(): null {
    this.#at = null;
    return null;
  }
}
