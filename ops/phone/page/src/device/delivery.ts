/** Where tasks come from, and the tasks that came. */

import type { Message } from "../broker/link.ts";
import type { Region } from "../contract.ts";
import type { Task } from "../wire/task.ts";

/** A queue to hear, and at which priority. */
export interface Place {
  model: string;
  region: Region;
  queue: string;
  priority: number;
}

/** What becomes of a task that came is said to the line that brought it. */
export interface Bringer {
  /** The task is done. */
  acknowledge(delivery: Delivery): void;
  /** The task could not be done here. */
  giveBack(delivery: Delivery): void;
  /** Hand back all that is held, unless something runs that would be lost with it. */
  drop(): void;
}

/** A task that a line brought. `isLost`: its connection is gone, and the broker gave it to another device. */
export interface Delivery {
  readonly line: Bringer;
  readonly place: Place;
  readonly message: Message;
  readonly task: Task;
  readonly arrived: number;
  isRunning: boolean;
  isLost: boolean;
}
