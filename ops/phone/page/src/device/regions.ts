/** Regions and the distance between each two, as broker_config/regions.py has them. */

import type { Region } from "../contract.ts";

export const REGIONS: readonly Region[] = [
  "asia",
  "europe",
  "north-america",
  "south-america",
  "africa",
  "oceania",
];

const FARTHEST = 300;
// Round-trip times in ms; they rank regions, and nothing depends on their absolute size.
const ROUND_TRIPS: readonly (readonly [Region, Region, number])[] = [
  ["asia", "europe", 160],
  ["asia", "north-america", 170],
  ["asia", "south-america", 300],
  ["asia", "africa", 230],
  ["asia", "oceania", 110],
  ["europe", "north-america", 90],
  ["europe", "south-america", 190],
  ["europe", "africa", 120],
  ["europe", "oceania", 260],
  ["north-america", "south-america", 130],
  ["north-america", "africa", 210],
  ["north-america", "oceania", 170],
  ["south-america", "africa", 290],
  ["south-america", "oceania", 300],
  ["africa", "oceania", 300],
];

/** Return how far two regions are apart, from 0 (the same) to 1 (the farthest pair). */
export function distance(one: Region, other: Region): number {
  const found = ROUND_TRIPS.find(([a, b]) => (a === one && b === other) || (a === other && b === one));
  return (found?.[2] ?? 0) / FARTHEST;
}

/** Return the other regions, the nearest first. */
export function abroadOf(home: Region): Region[] {
  return REGIONS.filter((region) => region !== home).sort((a, b) => distance(home, a) - distance(home, b));
}
