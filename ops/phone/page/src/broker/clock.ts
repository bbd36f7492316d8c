/** The time that deadlines are by: the platform's, as it was last told (worker/network_clock.py). */

import type { Task } from "../wire/task.ts";

// The platform tells whole seconds. A clock that is so near to them is right, and finer.
const NEAR = 2;

/** Between two times that it is told it runs by a clock that never jumps. Times are Unix time in seconds. */
export class NetworkClock {
  private ahead: number | null = null;
  private readonly own: () => number;
  private readonly steady: () => number;

  constructor(own = () => Date.now() / 1000, steady = () => performance.now() / 1000) {
    this.own = own;
    this.steady = steady;
  }

  /** Take in what time it is at the platform: whole seconds. */
  tell(seconds: number): void {
    const own = this.own();
    const now = Math.abs(seconds - own) <= NEAR ? own : seconds + 0.5;
    this.ahead = now - this.steady();
  }

  /** Return the network's time; before it was told, this machine's. */
  now(): number {
    return this.ahead === null ? this.own() : this.ahead + this.steady();
  }

  /** Return the task with its deadline as this machine's clock will show it. */
  byOwnClock(task: Task): Task {
    return task.expires === null ? task : { ...task, expires: task.expires + this.own() - this.now() };
  }
}
