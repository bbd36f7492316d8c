/** Keeps the screen awake, if the owner asked for it. */

/** off: not asked for. held: the screen stays on. refused: the browser says no, for now. impossible: it cannot. */
export type WakeState = "off" | "held" | "refused" | "impossible";

/** Holds the lock while it is wanted and the page is seen: browsers take it away from a hidden page. */
export class Wake {
  #changed: () => void;
  #wanted = false;
  #asking = false;
  #lock: WakeLockSentinel | null = null;
  #refused = false;

  constructor(changed: () => void) {
    this.#changed = changed;
    document.addEventListener("visibilitychange", () => void this.#follow());
  }

  get state(): WakeState {
    if (!("wakeLock" in navigator)) return "impossible";
    if (this.#lock !== null) return "held";
    return this.#refused ? "refused" : "off";
  }

  /** Hold the screen awake from now on, or let it sleep. */
  want(wanted: boolean): void {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    void this.#follow();
  }

  async #follow(): Promise<void> {
    if (!("wakeLock" in navigator) || this.#asking) return;
    if (!this.#wanted) return this.#release();
    if (this.#lock === null && document.visibilityState === "visible") await this.#ask();
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    try {
      this.#hold(await navigator.wakeLock.request("screen"));
    } catch {
      this.#refused = true; // As with a battery that is nearly empty; the owner is told so.
    }
    this.#asking = false;
    this.#changed();
    if (!this.#wanted) await this.#release();
  }

  #hold(lock: WakeLockSentinel): void {
    this.#lock = lock;
    this.#refused = false;
    lock.addEventListener("release", () => {
      this.#lock = null;
      this.#changed();
      void this.#follow();
    });
  }

  async #release(): Promise<void> {
    this.#refused = false;
    await this.#lock?.release();
  }
}
