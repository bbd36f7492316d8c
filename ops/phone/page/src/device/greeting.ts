/** Hello, with each new connection, and goodbye; what the platform answers says how this device stands. */

import { BrokerUnreachable, StarAIError } from "../errors.ts";
import { GOODBYE, HELLO, readGreeted, UNKNOWN, writeGoodbye, writeHello } from "../wire/greeting.ts";
import type { Ask } from "./attempts.ts";
import { Backoff } from "./backoff.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";
import { sleep } from "./sleep.ts";
import { steady } from "./steady.ts";

/** Seconds to wait for an answer before hello is said again, at first and at most. */
export const ANSWERED_WITHIN = 5;
export const LONGEST_WAIT = 60;
/** What the device says that it runs. */
export const SOFTWARE = "phone page";
// Milliseconds for which the broker keeps a goodbye that nobody has read: without it the platform would take the device
// for lost.
const GOODBYE_KEPT = 60_000;

export class Greeting {
  readonly #ask: Ask;
  /** Whether the device is in the upper band, as it was told last. */
  sound = true;
  /** What the platform said that its state is; `null` before it said so. */
  state: string | null = null;
  #isOverruled = false;
  #isLeaving = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Say hello over a new connection, again and again until it is answered or `over` is aborted. */
  async hello(over: AbortSignal): Promise<void> {
    const waits = new Backoff(ANSWERED_WITHIN, LONGEST_WAIT);
    while (!over.aborted && !this.#isLeaving) {
      const [within, began] = [waits.afterFailure(), steady()];
      if (await this.#isAnswered(within)) return;
      await sleep(Math.max(began + within - steady(), 0), over).catch(() => undefined);
    }
  }

  /** Take in an order: it is newer than the answer to what was asked before it came. */
  order(sound: boolean): void {
    [this.sound, this.#isOverruled] = [sound, true];
    log.info("standing.told", { sound });
  }

  /** Say goodbye, and hello no more; return whether the platform answered within so many seconds. */
  async goodbye(left: number, within: number): Promise<boolean> {
    this.#isLeaving = true;
    try {
      readGreeted(await inTime(this.#ask(GOODBYE, writeGoodbye(left), GOODBYE_KEPT), within));
      return true;
    } catch (error) {
      log.warn("goodbye.unanswered", { reason: reasonOf(error) });
      return false;
    }
  }

  async #isAnswered(within: number): Promise<boolean> {
    this.#isOverruled = false;
    try {
      const greeted = readGreeted(await this.#ask(HELLO, writeHello(SOFTWARE), 1000 * within));
      this.state = greeted.state;
      if (greeted.state === UNKNOWN) return false;
      if (!this.#isOverruled) this.sound = greeted.sound;
      log.info("hello.answered", { state: greeted.state, sound: this.sound });
      return true;
    } catch (error) {
      if (!(error instanceof StarAIError)) throw error;
      log.warn("hello.unanswered", { reason: error.message });
      return false;
    }
  }
}

function inTime<T>(answer: Promise<T>, within: number): Promise<T> {
  const late = sleep(within).then((): T => {
    throw new BrokerUnreachable(`Nobody answered within ${within} s.`);
  });
  return Promise.race([answer, late]);
}
