/** How often a task was begun before, and whether it may be begun once more (worker/clearance.py). */

import { StarAIError } from "../errors.ts";
import { CLEARANCE, type ClearanceAnswer, readClearanceAnswer, writeClearanceRequest } from "../wire/clearance.ts";
import type { Task } from "../wire/task.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";

/** Milliseconds to wait for the platform's clearance; without an answer the task is started. */
export const CLEARED_WITHIN = 2_000;
/** The same for a task that came back more than once, and so may have ended devices, or that the platform sent. */
export const CLEARED_LATER = 10_000;

const FAILURES_KEPT = 1000;

/** Asks the platform under a key; rejects with BrokerUnreachable or BrokerRefused. */
export type Ask = (key: string, body: Uint8Array, withinMs: number) => Promise<Uint8Array>;

/** The platform wants the task started no more; its submitter has been told why, or told the platform. */
export class NotCleared extends StarAIError {}

/**
 * A task that is to be started, with how often it was begun before in its `returns`.
 *
 * isOnRecord: whether the platform need not hear of it before it starts: it is new, or the platform cleared it.
 */
export interface Begun {
  task: Task;
  isOnRecord: boolean;
}

/** What is known of attempts: by the platform, else by the queue and by what failed on this very device. */
export class Attempts {
  readonly #ask: Ask;
  readonly #failures = new Map<string, number>();

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /**
   * Return the task as it is to be started; one that came back waits for the platform's clearance.
   *
   * @throws NotCleared it is not to be started.
   */
  async begin(task: Task, run: string, model: string): Promise<Begun> {
    const answer = task.cameBack ? await this.#clearance(task, run, model) : null;
    if (answer && !answer.start) throw new NotCleared(answer.reason ?? "no reason was given");
    const isOnRecord = answer !== null || !task.cameBack;
    if (answer?.attempt) return { task: { ...task, returns: answer.attempt - 1 }, isOnRecord };
    // A classic queue does not count how often a task came back, so that a device remembers its own failures.
    const failures = this.#failures.get(keyOf(task)) ?? 0;
    return { task: { ...task, returns: Math.max(task.returns, failures) }, isOnRecord };
  }

  /** Remember that this device has failed at the task. */
  noteFailure(task: Task): void {
    const key = keyOf(task);
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.delete(key);
    this.#failures.set(key, failures + 1);
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > FAILURES_KEPT && oldest !== undefined) this.#failures.delete(oldest);
  }

  async #clearance(task: Task, run: string, model: string): Promise<ClearanceAnswer | null> {
    const within = task.returns > 1 || task.republished ? CLEARED_LATER : CLEARED_WITHIN;
    try {
      return readClearanceAnswer(await this.#ask(CLEARANCE, writeClearanceRequest(task, run, model), within));
    } catch (error) {
      if (!(error instanceof StarAIError)) throw error;
      log.warn("task.uncleared", { task: task.id, reason: reasonOf(error) });
      return null;
    }
  }
}

function keyOf(task: Task): string {
  return `${task.replyTo} ${task.id}`;
}
