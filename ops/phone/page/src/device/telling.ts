/** What is said of one attempt at a task while it goes on. */

import type { Task } from "../wire/task.ts";
import type { Report, State } from "../wire/report.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";
import type { Says } from "./saying.ts";
import { unixTime } from "./steady.ts";

/** Milliseconds after which a task that has not ended is said to have begun. */
export const TOLD_AFTER = 20;
/** Seconds that a task waits for the broker to know that it begins, where that matters. */
export const KNOWN_WITHIN = 2;

export class Telling {
  readonly #saying: Says;
  readonly #task: Task;
  readonly #run: string;
  /** When this attempt began, in Unix time. */
  readonly started = unixTime();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(saying: Says, task: Task, run: string) {
    this.#saying = saying;
    this.#task = task;
    this.#run = run;
  }

  /** Say how the task stands; resolves when the broker has it. */
  tell(state: State, more: Partial<Report> = {}, within?: number): Promise<void> {
    const { started } = this;
    const about = { task: this.#task.id, state, at: unixTime(), run: this.#run, started };
    return this.#saying.say(this.#task.replyTo, { ...about, ...this.#saying.who, ...more }, within);
  }

  /**
   * The task begins. That is told after a moment, unless it has ended by then; at once, and before this resolves, where
   * the platform has to know it even if the task ends this device.
   */
  async begin(isOnRecord: boolean): Promise<void> {
    if (isOnRecord) this.#timer = setTimeout(() => void this.#tellStart(), TOLD_AFTER);
    else await this.#tellStart();
  }

  /** The task is about to end: its beginning is told by now, or never. */
  ends(): void {
    clearTimeout(this.#timer);
  }

  /** Say that the task goes on to another device, if that can be said. */
  async tellOfReturn(note: string): Promise<void> {
    await this.#tryTo("requeued", { note });
  }

  async #tellStart(): Promise<void> {
    await this.#tryTo("started", {});
  }

  async #tryTo(state: State, more: Partial<Report>): Promise<void> {
    try {
      await this.tell(state, more, KNOWN_WITHIN);
    } catch (error) {
      log.warn("task.untold", { task: this.#task.id, state, reason: reasonOf(error) });
    }
  }
}
