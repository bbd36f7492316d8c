/** The status that the page shows: sent whole when something of it changed, ten times a second at most. */

import { DEFAULT_PREFERENCES, type Status } from "../contract.ts";

/** Milliseconds between two posts at least. */
export const PERIOD = 100;

/** The status before anything is known. */
export const FIRST_STATUS: Status = {
  phase: "new",
  step: null,
  progress: null,
  error: null,
  on: false,
  doing: "off",
  why: null,
  device: null,
  region: null,
  models: [],
  done: 0,
  failed: 0,
  lastTaskMs: null,
  standing: null,
  preferences: DEFAULT_PREFERENCES,
};

export class Board {
  readonly #post: (status: Status) => void;
  #status = FIRST_STATUS;
  #posted = "";
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(post: (status: Status) => void) {
    this.#post = post;
  }

  /** The status as it is now. */
  get status(): Status {
    return this.#status;
  }

  /** Change parts of it; the first change goes at once, later ones together. */
  show(part: Partial<Status>): void {
    this.#status = { ...this.#status, ...part };
    if (this.#timer === null) this.#send();
  }

  #send(): void {
    this.#timer = null;
    const written = JSON.stringify(this.#status);
    if (written === this.#posted) return;
    this.#posted = written;
    this.#post(this.#status);
    this.#timer = setTimeout(() => this.#send(), PERIOD);
  }
}
