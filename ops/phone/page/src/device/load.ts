/** A load in steps of ten percent, smoothed, that seldom moves (worker/load.py). No clock. */

/** Seconds in which the smoothed load covers 63 % of the way to a new one. */
export const SMOOTHING = 10;
/** How far the smoothed load may be from the step before the step follows. */
export const HYSTERESIS = 0.08;
/** Seconds between two moves at least: each has the device's subscriptions made anew. */
export const REST = 5;

const STEPS = 10;

export class LoadMeter {
  #smoothed = 0;
  #tenths = 0;
  #sampled: number | null = null;
  #moved = -Infinity;

  /** The load in tenths: 0, 0.1, ... 1. It moves once in `REST` seconds at most. */
  get step(): number {
    return this.#tenths / STEPS;
  }

  /** Take in the load, from 0 to 1, since the last sample; the first one only starts the clock. */
  sample(load: number, now: number): void {
    if (this.#sampled !== null) {
      this.#smoothed += (load - this.#smoothed) * (1 - Math.exp((this.#sampled - now) / SMOOTHING));
    }
    this.#sampled = now;
    const followed = this.#followed();
    if (followed === this.#tenths || now - this.#moved < REST) return;
    [this.#tenths, this.#moved] = [followed, now];
  }

  /** Return the step that is within the hysteresis of the smoothed load: it follows no further than it must. */
  #followed(): number {
    const [exact, slack] = [this.#smoothed * STEPS, HYSTERESIS * STEPS];
    return Math.min(Math.max(this.#tenths, Math.ceil(exact - slack)), Math.floor(exact + slack));
  }
}
