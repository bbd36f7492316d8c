/** What the device keeps from one visit of its page to the next. */

import { type Calibration, DEFAULT_PREFERENCES, type Enrolment, type Preferences } from "../contract.ts";
import type { DeviceKeys } from "../wire/keys.ts";

/**
 * All of it. calibrations: how fast its models run here, by name. on: the owner's switch. done, failed: tasks that
 * ended here, and that it could not do.
 */
export interface Kept {
  keys: DeviceKeys | null;
  enrolment: Enrolment | null;
  calibrations: Record<string, Calibration>;
  preferences: Preferences;
  on: boolean;
  done: number;
  failed: number;
}

/** Where it is kept: the browser's storage, but for tests. */
export interface Storage {
  /** Return what is kept; what is not is as for a new device. */
  load(): Promise<Kept>;
  /** Keep these parts, and leave the others as they are. */
  save(part: Partial<Kept>): Promise<void>;
  /** Forget who this device is: all but what its owner prefers. */
  forget(): Promise<void>;
}

/** Return what a new device keeps. */
export function nothingKept(): Kept {
  return {
    keys: null,
    enrolment: null,
    calibrations: {},
    preferences: { ...DEFAULT_PREFERENCES },
    on: false,
    done: 0,
    failed: 0,
  };
}
