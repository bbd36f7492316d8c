/** How the device stands with the network, in words. Pure. */

import type { Standing } from "../contract.ts";
import { moment, percent, phrase, sentence } from "./figures.ts";

export type Band = "good" | "low" | "out" | "unknown";

export interface StandingWords {
  band: Band;
  title: string;
  details: string[];
}

const STATES: Readonly<Record<string, Omit<StandingWords, "band">>> = {
  inactive: { title: "Waiting for a check", details: ["The network checks it every minute, and then it gets tasks."] },
  offline: { title: "Away, by your choice", details: ["That is never held against you."] },
  unknown: { title: "Not known to the network", details: ["Leave the network here, and join with a new token."] },
};
const NOT_ASKED = { title: "Not known yet", details: ["The network is asked as soon as the phone is connected."] };

/** Say how a device stands. */
export function standingWords(standing: Standing | null, now: Date): StandingWords {
  if (standing === null) return { band: "unknown", ...NOT_ASKED };
  if (standing.state === "blacklisted") return shutOut(standing, now);
  if (isAhead(standing.quarantinedUntil, now)) return quarantined(standing, standing.quarantinedUntil, now);
  const trust = [`Trust ${percent(standing.trust)}.`];
  if (standing.state === "active") return active(standing, trust);
  const known = STATES[standing.state] ?? { title: phrase(standing.state), details: [] };
  return { band: "unknown", title: known.title, details: [...known.details, ...why(standing), ...trust] };
}

function active(standing: Standing, trust: string[]): StandingWords {
  if (standing.sound) return { band: "good", title: "In good standing", details: trust };
  const meaning = "It gets only what no other device has room for. Trust comes back with time and good checks.";
  return { band: "low", title: "In the lower band", details: [...trust, ...why(standing), meaning] };
}

function quarantined(standing: Standing, until: string, now: Date): StandingWords {
  const title = `In quarantine until ${moment(until, now)}`;
  const meaning = "It failed too often, and gets no tasks for a while. Then it is checked, and comes back by itself.";
  return { band: "out", title, details: [...why(standing), meaning, `Trust ${percent(standing.trust)}.`] };
}

function shutOut(standing: Standing, now: Date): StandingWords {
  const until = standing.blacklistedUntil;
  const title = until === null ? "Blacklisted" : `Blacklisted until ${moment(until, now)}`;
  const meaning = "It cannot connect till then. If you think that is wrong, ask whoever invited you.";
  return { band: "out", title, details: [...why(standing), meaning] };
}

function why(standing: Standing): string[] {
  return standing.reason === null ? [] : [sentence(standing.reason)];
}

function isAhead(until: string | null, now: Date): until is string {
  return until !== null && !(new Date(until).getTime() <= now.getTime());
}
