/** Keeps the device to its owner's manners: says whether it pauses now, and why. */

import type { Preferences, Surroundings } from "../contract.ts";
import type { Lane } from "./lane.ts";
import { log } from "./log.ts";
import { conditions } from "./manners.ts";
import { PauseRule } from "./pause_rule.ts";

const SLOW = "slow";

export interface PauserOf {
  preferences: () => Preferences;
  /** `null` until the page has told. */
  surroundings: () => Surroundings | null;
  lanes: readonly Lane[];
}

export class Pauser {
  readonly #of: PauserOf;
  #rule = new PauseRule();
  /** Why the device takes no tasks, or `null`. */
  why: string | null = null;

  constructor(of: PauserOf) {
    this.#of = of;
  }

  /**
   * Look how things are, at so many seconds of a clock that never goes back, and at a Unix time in milliseconds; return
   * whether that is known.
   */
  look(now: number, at: number): boolean {
    const { preferences, lanes } = this.#of;
    const around = this.#of.surroundings();
    if (around === null) return false;
    const wasSlow = this.#rule.isHeldBy(SLOW);
    const isSlow = lanes.some((lane) => lane.pace.isFarTooSlow(now));
    this.#rule.update(conditions(preferences(), around, isSlow, at), now);
    // It rests from here on: what its tasks took says nothing of how it is when it goes on.
    if (!wasSlow && this.#rule.isHeldBy(SLOW)) for (const lane of lanes) lane.pace.reset();
    this.#note(this.#rule.why(now));
    return true;
  }

  /** Look with new eyes: its owner has just said what they prefer, and sees at once what follows. */
  begin(): void {
    this.#rule = new PauseRule();
  }

  #note(why: string | null): void {
    if (why === this.why) return;
    this.why = why;
    log.info(why === null ? "device.resumed" : "device.paused", { reason: why });
  }
}
