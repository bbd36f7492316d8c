/** What the parts of the view have in common. */

import type { Preferences, Status, Surroundings } from "../contract.ts";
import type { InstallWay } from "./install.ts";
import type { WakeState } from "./wake.ts";

/** All that is shown. */
export interface Seen {
  status: Status;
  surroundings: Surroundings;
  /** What the owner calls this phone; `null` where this browser was not told. */
  name: string | null;
  /** Tasks done since midnight. */
  today: number;
  install: InstallWay;
  wake: WakeState;
  /** Something to know that is no error. */
  notice: string | null;
}

/** What the owner does on the page. */
export interface Actions {
  join(token: string, name: string): void;
  serve(on: boolean): void;
  prefer(preferences: Preferences): void;
  removeModels(): void;
  leave(): void;
  install(): void;
}

/** Something that is seen, and follows what is shown. */
export interface Part {
  element: HTMLElement;
  show(seen: Seen): void;
}
