/**
 * How fast the device's tasks are against what they took when it joined: all that a browser tells of a phone that is
 * hot, or busy with something else. No clock.
 */

import type { Calibration } from "../contract.ts";

/** How many times longer than expected tasks take on a phone that is too hot or too busy. */
export const FAR_TOO_SLOW = 3;
/** How many tasks one after the other tell that: a single one may be an odd one. */
export const TELLING = 3;
/** Seconds after which the last task says nothing of how the phone is now. */
export const FORGOTTEN = 30;

// How much of the figure a new task makes up.
const NEWEST = 0.3;
// Bytes of the texts of the task that calibrations are made with: four sentences.
const CALIBRATED = 330;
// Bytes of a text beyond which it costs no more, because a model reads so many tokens only.
const MOST_READ = 1200;

const encoder = new TextEncoder();

/** Return the seconds that a task of these texts should take at most, where nothing else slows the device. */
export function expectedSeconds(texts: readonly string[], calibration: Calibration): number {
  const bytes = texts.reduce((sum, text) => sum + Math.min(encoder.encode(text).length, MOST_READ), 0);
  return Math.max(bytes / CALIBRATED, 1) / calibration.tasks_per_second;
}

/** The pace of one model's tasks. `now` is in seconds on a clock that never goes back. */
export class Pace {
  #ratio: number | null = null;
  #tasks = 0;
  #at = -Infinity;

  /** A task took so many seconds, and should have taken so many at most. */
  took(seconds: number, expected: number, now: number): void {
    const ratio = seconds / expected;
    const isFresh = this.#ratio !== null && now - this.#at < FORGOTTEN;
    this.#ratio = isFresh ? (1 - NEWEST) * (this.#ratio ?? ratio) + NEWEST * ratio : ratio;
    this.#tasks = isFresh ? this.#tasks + 1 : 1;
    this.#at = now;
  }

  /** The share of the device that something else takes, from 0 to 1. */
  load(now: number): number {
    const ratio = this.#ratioAt(now);
    return ratio > 1 ? 1 - 1 / ratio : 0;
  }

  /** Whether the device is far too slow to be of use. */
  isFarTooSlow(now: number): boolean {
    return this.#tasks >= TELLING && this.#ratioAt(now) > FAR_TOO_SLOW;
  }

  /** Forget what was: the device has rested. */
  reset(): void {
    [this.#ratio, this.#tasks] = [null, 0];
  }

  #ratioAt(now: number): number {
    return this.#ratio === null || now - this.#at >= FORGOTTEN ? 0 : this.#ratio;
  }
}
