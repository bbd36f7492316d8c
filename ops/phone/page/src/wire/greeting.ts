/** What a device says when it comes and when it goes, and what it is told of its standing (tasks/greeting.py). */

import type { Region, Standing } from "../contract.ts";
import type { Bytes } from "./bytes.ts";
import { type Check, defaulted, flag, list, number, optional, record, text, wrong } from "./check.ts";
import { read, write } from "./envelope.ts";
import { REGION } from "./joining.ts";

/** Keys of `reports`: what a device says when it is there, when it goes, and when it asks how it stands. */
export const HELLO = "hello";
export const GOODBYE = "goodbye";
export const STANDING = "standing";
/** The state of a device that no registry knows, or whose greeting could not be taken. */
export const UNKNOWN = "unknown";

const MOST_LEFT = 100_000;

/** What the platform answers to hello and goodbye: the device's state, and whether it is in the upper band. */
export interface Greeted {
  state: string;
  sound: boolean;
}

interface StandingEvent {
  at: string;
  kind: string;
  reason: string;
  check: string | null;
  cost: number | null;
  trust: number | null;
}

interface WholeStanding {
  device: string;
  owner: string;
  region: Region;
  state: string;
  since: string | null;
  trust: number;
  sound: boolean;
  demoted_below: number;
  sound_from: number;
  quarantined_below: number;
  blacklisted_below: number;
  quarantined_until: string | null;
  blacklisted_until: string | null;
  condition: string;
  checked_at: string | null;
  reason: string | null;
  events: StandingEvent[];
}

/** A moment with its time zone. */
const MOMENT: Check<string> = (value, where) => {
  const moment = text({ most: 64, pattern: /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:?\d{2})$/ })(value, where);
  if (Number.isNaN(Date.parse(moment))) throw wrong(where, "is no time");
  return moment;
};
const GREETED = record<Greeted>({ state: text(), sound: flag });
const EVENT = record<StandingEvent>({
  at: MOMENT,
  kind: text(),
  reason: text({ most: 500 }),
  check: optional(text()),
  cost: optional(number()),
  trust: optional(number()),
});
const WHOLE_STANDING = record<WholeStanding>({
  device: text(),
  owner: text(),
  region: REGION,
  state: text(),
  since: optional(MOMENT),
  trust: number(),
  sound: flag,
  demoted_below: number(),
  sound_from: number(),
  quarantined_below: number(),
  blacklisted_below: number(),
  quarantined_until: optional(MOMENT),
  blacklisted_until: optional(MOMENT),
  condition: text(),
  checked_at: optional(MOMENT),
  reason: optional(text()),
  events: defaulted(list(EVENT, { most: 100 }), []),
});

/** Return what a device says over a new connection; `software` is the version that it runs. */
export function writeHello(software: string): Bytes {
  return write({ software: software.slice(0, 40) });
}

/** Return what a device says that goes by its owner's choice, and leaves so many of its tasks to others. */
export function writeGoodbye(left: number): Bytes {
  return write({ left: Math.min(left, MOST_LEFT) });
}

/** Return the question how this device stands. */
export function writeStandingQuestion(): Bytes {
  return write({});
}

/**
 * Return what the platform answered to hello or goodbye.
 *
 * @throws InvalidMessage it is no such answer.
 */
export function readGreeted(body: Uint8Array): Greeted {
  return read("Greeted", GREETED, body);
}

/**
 * Return how the device stands, as far as it is shown.
 *
 * @throws InvalidMessage it is no such answer.
 */
export function readStanding(body: Uint8Array): Standing {
  const { owner, state, trust, sound, reason, ...all } = read("Standing", WHOLE_STANDING, body);
  const [quarantinedUntil, blacklistedUntil] = [all.quarantined_until, all.blacklisted_until];
  return { owner, state, trust, sound, reason, quarantinedUntil, blacklistedUntil };
}
