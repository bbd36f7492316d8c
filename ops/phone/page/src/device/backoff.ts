/** How long to wait after a failure: twice as long after each in a row, within a bound. No clock. */

export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #failures = 0;

  constructor(first: number, longest: number) {
    this.#first = first;
    this.#longest = longest;
  }

  /** Count a failure and return how long to wait now. */
  afterFailure(): number {
    const wait = Math.min(this.#first * 2 ** Math.min(this.#failures, 60), this.#longest);
    this.#failures += 1;
    return wait;
  }

  /** Begin anew: the next failure is the first. */
  succeeded(): void {
    this.#failures = 0;
  }
}
