/** What the tests of the page's words start from. */

import { DEFAULT_PREFERENCES, type Standing, type Status, type Surroundings } from "../src/contract.ts";

export const NOW = new Date("2026-06-03T12:00:00");

export const AROUND: Surroundings = { charging: true, battery: 1, metered: false, online: true, hiddenSince: null };

export const STANDING: Standing = {
  owner: "ann",
  state: "active",
  trust: 0.97,
  sound: true,
  reason: null,
  quarantinedUntil: null,
  blacklistedUntil: null,
};

export const FIRST: Status = {
  phase: "joined",
  step: null,
  progress: null,
  error: null,
  on: true,
  doing: "waiting",
  why: null,
  device: "device-1",
  region: "africa",
  models: [],
  done: 0,
  failed: 0,
  lastTaskMs: null,
  standing: STANDING,
  preferences: DEFAULT_PREFERENCES,
};
