/** What the device does now, in words. Pure. */

import type { Doing, Status, Surroundings } from "../contract.ts";
import { sentence } from "./figures.ts";

/** How it looks: at work, on its way, held up, not to be had, or still. */
export type Tone = "serving" | "moving" | "held" | "bad" | "still";

export interface DoingWords {
  title: string;
  detail: string;
}

const TITLES: Readonly<Record<Doing, string>> = {
  off: "Stopped",
  starting: "Getting ready",
  connecting: "Connecting",
  waiting: "Ready for tasks",
  working: "Working on a task",
  paused: "Paused",
  resting: "Resting",
  refused: "Not let in",
};

const DETAILS: Readonly<Record<Doing, string>> = {
  off: "This phone takes no tasks. Switch it on when you like.",
  starting: "It loads its model.",
  connecting: "It looks for the network.",
  waiting: "It waits for the next one. Keep this page open.",
  working: "The answer goes straight back to the network.",
  paused: "It goes on by itself.",
  resting: "The network gives it no tasks now.",
  refused: "The network refuses this phone. Ask whoever invited you.",
};

const TONES: Readonly<Record<Doing, Tone>> = {
  off: "still",
  starting: "moving",
  connecting: "moving",
  waiting: "serving",
  working: "serving",
  paused: "held",
  resting: "held",
  refused: "bad",
};

/** Say what the device does, and why or what comes next. */
export function doingWords(status: Status, around: Surroundings, doing: Doing = status.doing): DoingWords {
  return { title: TITLES[doing], detail: detail(status, around, doing) };
}

/** Say how it is to look. */
export function tone(doing: Doing): Tone {
  return TONES[doing];
}

function detail(status: Status, around: Surroundings, doing: Doing): string {
  if (doing === "connecting" && !around.online) return "This phone has no network now. It goes on as soon as there is.";
  const why = doing === status.doing ? (status.why ?? (doing === "starting" ? status.step : null)) : null;
  return why === null ? DETAILS[doing] : sentence(why);
}
