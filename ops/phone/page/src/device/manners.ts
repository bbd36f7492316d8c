/** What is wrong with the phone's surroundings, by what its owner prefers: in words for the owner. Pure. */

import type { Preferences, Surroundings } from "../contract.ts";
import { MOMENT, SETTLE, type Condition } from "./pause_rule.ts";

/** Seconds after which a phone that was hot or slow tries again. */
export const COOL_DOWN = 180;

const MINUTE = 60_000;

/** Return the conditions that the preferences make. `at` is Unix time in ms; `isSlow`: its tasks take far too long. */
export function conditions(wish: Preferences, around: Surroundings, isSlow: boolean, at: number): Condition[] {
  return [
    condition("offline", !around.online, "this phone is offline", { moment: 0 }),
    condition("metered", isMetered(wish, around), metered(around)),
    condition("power", !hasPower(wish, around), power(wish, around)),
    condition("hidden", isHidden(wish, around, at), hidden(wish), { moment: 0 }),
    condition("slow", isSlow, "this phone is hot or busy: its tasks take far longer than they should", {
      settle: COOL_DOWN,
    }),
  ];
}

function condition(name: string, isWrong: boolean, why: string, times: Partial<Condition> = {}): Condition {
  return { name, isWrong, why, moment: MOMENT, settle: SETTLE, ...times };
}

function isMetered(wish: Preferences, around: Surroundings): boolean {
  return wish.notMetered && (around.metered ?? !wish.ownerSaysUnmetered);
}

function metered(around: Surroundings): string {
  if (around.metered) return "the connection is metered; it goes on over Wi-Fi";
  return "the browser does not tell whether the connection is metered; say that it is not, and it goes on";
}

function hasPower(wish: Preferences, around: Surroundings): boolean {
  if (around.charging) return true;
  if (wish.onlyWhileCharging) return around.charging === null && wish.ownerSaysPowered;
  return around.battery === null ? wish.ownerSaysPowered : around.battery > wish.batteryAbove;
}

function power(wish: Preferences, around: Surroundings): string {
  if (around.battery === null && around.charging === null) {
    return "the browser does not tell how the battery is; say that the phone has power, and it goes on";
  }
  if (wish.onlyWhileCharging) return "the phone is not charging; it goes on when it does";
  const above = percent(wish.batteryAbove);
  if (around.battery === null) return `the phone is not charging, and the battery may be below ${above}`;
  return `the battery is at ${percent(around.battery)} and not charging; it goes on above ${above}`;
}

function isHidden(wish: Preferences, around: Surroundings, at: number): boolean {
  return around.hiddenSince !== null && at - around.hiddenSince >= wish.hiddenMinutes * MINUTE;
}

function hidden(wish: Preferences): string {
  const minutes = wish.hiddenMinutes === 1 ? "a minute" : `${wish.hiddenMinutes} minutes`;
  return `this page has not been in front for ${minutes}; it goes on when it is`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}
