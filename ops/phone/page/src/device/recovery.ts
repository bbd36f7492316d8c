/** A model that failed: it takes no tasks for a while that grows, is made ready again, and then takes some. */

import { Backoff } from "./backoff.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";

/** Seconds for which a model that failed takes no task, at first and at most. */
export const FIRST_PAUSE = 5;
export const LONGEST_PAUSE = 300;

/** Wait that many seconds; rejects once `stopped` is aborted. */
export type Sleep = (seconds: number, stopped: AbortSignal) => Promise<void>;

export interface Recovering {
  model: string;
  /** Make it ready; rejects with whatever keeps it from that. */
  mend: () => Promise<void>;
  /** Told whenever `isUnderWay` or `reason` may be another. */
  changed: () => void;
  sleep: Sleep;
}

export class Recovery {
  readonly #of: Recovering;
  readonly #backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
  readonly #stopped = new AbortController();
  #isUnderWay = false;
  #reason: string | null = null;

  constructor(of: Recovering) {
    this.#of = of;
  }

  /** Whether the model is to take no tasks now. */
  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** Why the model could not be made ready again, or `null` where it could, or was not tried yet. */
  get reason(): string | null {
    return this.#reason;
  }

  /** Make the model ready for the first time; where it cannot be, it is tried again after the first pause. */
  async begin(): Promise<void> {
    this.#isUnderWay = true;
    if (!(await this.#isMended()) && !this.#stopped.signal.aborted) void this.#recover(this.#backoff.afterFailure());
  }

  /** Let the model take no tasks for a while. Failing again meanwhile changes nothing. */
  failed(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    const seconds = this.#backoff.afterFailure();
    log.warn("model.paused", { model: this.#of.model, seconds });
    this.#of.changed();
    void this.#recover(seconds);
  }

  /** The model did a task: its next pause is the shortest again. */
  succeeded(): void {
    this.#backoff.succeeded();
  }

  /** Mend no more. */
  stop(): void {
    this.#stopped.abort();
  }

  async #recover(first: number): Promise<void> {
    for (let seconds = first; await this.#slept(seconds); seconds = this.#backoff.afterFailure()) {
      if (await this.#isMended()) return;
    }
  }

  async #slept(seconds: number): Promise<boolean> {
    await this.#of.sleep(seconds, this.#stopped.signal).catch(() => undefined);
    return !this.#stopped.signal.aborted;
  }

  async #isMended(): Promise<boolean> {
    try {
      await this.#of.mend();
      [this.#reason, this.#isUnderWay] = [null, false];
      log.info("model.back", { model: this.#of.model });
    } catch (error) {
      if (this.#stopped.signal.aborted) return true;
      this.#reason = reasonOf(error);
      log.error("model.broken", { model: this.#of.model, reason: this.#reason });
    }
    this.#of.changed();
    return !this.#isUnderWay;
  }
}
