/** What the network does with this phone, in words for its owner. Pure. */

import type { Standing } from "../contract.ts";

/** Return why the broker refuses the login, as far as it is known. */
export function refusedWords(standing: Standing | null): string {
  const until = standing?.blacklistedUntil;
  if (until) return `the network has shut this phone out until ${moment(until)}${because(standing)}`;
  return (
    "the network refuses this phone: it was shut out for a time, or taken off. It asks again by itself; whoever " +
    "invited you knows more"
  );
}

/** Return why the device is given no tasks, as far as it is known. */
export function restingWords(standing: Standing | null): string {
  const until = standing?.quarantinedUntil;
  if (until) return `the network gives this phone no tasks until ${moment(until)}${because(standing)}`;
  return `the network gives this phone no tasks at the moment${because(standing)}; it asks again by itself`;
}

function because(standing: Standing | null): string {
  return standing?.reason ? `: ${standing.reason.replace(/\.$/, "")}` : "";
}

function moment(iso: string): string {
  return new Date(iso).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}
