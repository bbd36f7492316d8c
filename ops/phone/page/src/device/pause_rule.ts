/**
 * When the device pauses by itself (worker/pause_rule.py). Pure.
 *
 * It pauses once something has been wrong for a moment, and goes on once everything has been well for a while, which is
 * short here: phones are moved and plugged in.
 */

/** Seconds for which a thing that comes and goes must be wrong. */
export const MOMENT = 3;
/** Seconds for which it must be well again. */
export const SETTLE = 10;

/**
 * One thing that may be wrong.
 *
 * why: what the owner is told while it is wrong, or was lately. moment: seconds for which it must be wrong before the
 * device pauses. settle: seconds for which it must be well before the device goes on.
 */
export interface Condition {
  name: string;
  isWrong: boolean;
  why: string;
  moment: number;
  settle: number;
}

/** Remembers what was wrong, and since when it is not. `now` is in seconds on a clock that never goes back. */
export class PauseRule {
  readonly #wrongSince = new Map<string, number>();
  readonly #wrongLast = new Map<string, number>();
  readonly #holding = new Map<string, Condition>();
  #isFirst = true;

  /**
   * Take in how things are. A condition that is not among them any more holds nothing. What is wrong at first counts at
   * once: a device that begins to work is not to stop a moment later.
   */
  update(found: readonly Condition[], now: number): void {
    const names = new Set(found.map((condition) => condition.name));
    for (const known of [this.#wrongSince, this.#wrongLast, this.#holding]) {
      for (const name of [...known.keys()]) if (!names.has(name)) known.delete(name);
    }
    for (const condition of found) this.#take(condition, now);
    this.#isFirst = false;
  }

  /** Tell whether the device pauses because of that condition. */
  isHeldBy(name: string): boolean {
    return this.#holding.has(name);
  }

  /** Return why the device is to pause, or `null`. */
  why(now: number): string | null {
    const [worst] = [...this.#holding.values()].sort((one, other) => this.#weight(other, now) - this.#weight(one, now));
    if (!worst) return null;
    if (worst.isWrong) return worst.why;
    return `${worst.why} (until a short while ago)`;
  }

  #weight(condition: Condition, now: number): number {
    return condition.isWrong ? Infinity : this.#left(condition, now);
  }

  #take(condition: Condition, now: number): void {
    if (condition.isWrong) this.#takeWrong(condition, now);
    else this.#takeWell(condition, now);
  }

  #takeWrong(condition: Condition, now: number): void {
    const { name } = condition;
    this.#wrongLast.set(name, now);
    const since = this.#wrongSince.get(name) ?? now;
    this.#wrongSince.set(name, since);
    if (this.#isFirst || now - since >= condition.moment || this.#holding.has(name)) this.#holding.set(name, condition);
  }

  #takeWell(condition: Condition, now: number): void {
    const { name } = condition;
    this.#wrongSince.delete(name);
    if (!this.#holding.has(name)) return;
    if (this.#left(condition, now) <= 0) this.#holding.delete(name);
    else this.#holding.set(name, { ...condition, why: this.#holding.get(name)?.why ?? condition.why });
  }

  #left(condition: Condition, now: number): number {
    return (this.#wrongLast.get(condition.name) ?? now) + condition.settle - now;
  }
}
