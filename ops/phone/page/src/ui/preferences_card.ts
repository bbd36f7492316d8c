/** When this phone may work, as its owner prefers. */

import type { Preferences } from "../contract.ts";
import { h } from "./dom.ts";
import { checkbox, choice, slider } from "./fields.ts";
import type { Part, Seen } from "./part.ts";
import type { WakeState } from "./wake.ts";

const MINUTES = [1, 5, 10, 30, 60, 240];
/** Stands for as many as the device thinks right. */
const AUTOMATIC = 0;
const WAKE_HINTS: Readonly<Record<WakeState, string>> = {
  off: "A phone that sleeps takes no tasks.",
  held: "The screen stays on while the phone serves.",
  refused: "The browser does not allow it now. A low battery is a common reason.",
  impossible: "This browser cannot do that. Set the phone’s own screen lock to a longer time.",
};

/** Make the section. */
export function preferencesCard(change: (part: Partial<Preferences>) => void): Part {
  const charging = checkbox("Only while charging", (on) => change({ onlyWhileCharging: on }));
  const battery = slider("On battery, only above", (share) => change({ batteryAbove: share }));
  const metered = checkbox("No metered connections", (on) => change({ notMetered: on }));
  const hidden = choice("Pause when hidden for", MINUTES, minutes, (value) => change({ hiddenMinutes: value }));
  const awake = checkbox("Keep the screen awake", (on) => change({ keepAwake: on }));
  const threads = choice("Threads", threadCounts(), threadWords, (count) => change({ threads: count || null }));
  hidden.hint("Most phones stop a hidden page by themselves.");
  threads.hint("More is faster, and warmer.");
  const show = ({ status: { preferences }, wake }: Seen): void => {
    charging.set(preferences.onlyWhileCharging);
    battery.set(preferences.batteryAbove);
    battery.enable(!preferences.onlyWhileCharging);
    metered.set(preferences.notMetered);
    hidden.set(preferences.hiddenMinutes);
    awake.set(preferences.keepAwake);
    awake.hint(WAKE_HINTS[wake]);
    awake.enable(wake !== "impossible");
    threads.set(preferences.threads ?? AUTOMATIC);
  };
  const fields = [charging, battery, metered, hidden, awake, threads].map((field) => field.element);
  return { element: h("section", { class: "card" }, h("h2", {}, "When it may work"), ...fields), show };
}

function minutes(value: number): string {
  if (value >= 60) return value === 60 ? "1 hour" : `${value / 60} hours`;
  return value === 1 ? "1 minute" : `${value} minutes`;
}

function threadCounts(): number[] {
  const cores = Math.min(navigator.hardwareConcurrency || 1, 8);
  return [AUTOMATIC, ...Array.from({ length: cores }, (_, index) => index + 1)];
}

function threadWords(count: number): string {
  return count === AUTOMATIC ? "Automatic" : String(count);
}
