/** What the device does now, from the facts. Pure. */

import type { Doing } from "../contract.ts";

/** What is known; reasons are words for the owner, and `null` where there is none. */
export interface Facts {
  on: boolean;
  isReady: boolean;
  refused: string | null;
  paused: string | null;
  resting: string | null;
  isConnected: boolean;
  running: number;
}

/** Return what to show, and why: what keeps the device from work most comes first. */
export function doingOf(facts: Facts): { doing: Doing; why: string | null } {
  if (!facts.on) return { doing: "off", why: null };
  if (facts.refused !== null) return { doing: "refused", why: facts.refused };
  if (!facts.isReady) return { doing: "starting", why: null };
  if (facts.running > 0) return { doing: "working", why: null };
  if (facts.paused !== null) return { doing: "paused", why: facts.paused };
  if (!facts.isConnected) return { doing: "connecting", why: null };
  if (facts.resting !== null) return { doing: "resting", why: facts.resting };
  return { doing: "waiting", why: null };
}
