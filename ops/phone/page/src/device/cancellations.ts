/** Cancelled tasks: those that are never begun here, and those that are stopped. */

import { Cancelled } from "../errors.ts";
import type { Cancellation } from "../wire/cancellation.ts";

/** The most that are remembered; the oldest are forgotten first. */
export const KEPT = 20_000;

export class Cancellations {
  readonly #now: () => number;
  readonly #until = new Map<string, number>();
  readonly #running = new Map<AbortController, string>();

  /** `now` returns the Unix time in seconds by which tasks expire. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Let none of these tasks begin until it expires, and stop those that run. */
  add(cancelled: readonly Cancellation[]): void {
    for (const { submitter, task, expires } of cancelled) {
      const key = keyOf(submitter, task);
      this.#until.delete(key);
      this.#until.set(key, expires);
    }
    this.#forgetOldest();
    for (const [stop, key] of this.#running) if (this.#until.has(key)) stop.abort();
  }

  /**
   * Do something for a task, with the signal that is aborted when the task is cancelled.
   *
   * @throws Cancelled it is already.
   */
  async running<T>(submitter: string, task: string, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const key = keyOf(submitter, task);
    if ((this.#until.get(key) ?? 0) > this.#now()) throw new Cancelled(`Task ${task} was cancelled.`);
    const stop = new AbortController();
    this.#running.set(stop, key);
    try {
      return await work(stop.signal);
    } finally {
      this.#running.delete(stop);
    }
  }

  #forgetOldest(): void {
    for (const key of this.#until.keys()) {
      if (this.#until.size <= KEPT) return;
      this.#until.delete(key);
    }
  }
}

function keyOf(submitter: string, task: string): string {
  return `${submitter} ${task}`;
}
