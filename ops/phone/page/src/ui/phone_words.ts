/** The phone's battery and network, in words. Pure. */

import type { Region, Surroundings } from "../contract.ts";
import { percent } from "./figures.ts";

const REGIONS: Readonly<Record<Region, string>> = {
  asia: "Asia",
  europe: "Europe",
  "north-america": "North America",
  "south-america": "South America",
  africa: "Africa",
  oceania: "Oceania",
};

/** Say where a region is. */
export function regionWords(region: Region): string {
  return REGIONS[region];
}

/** Say how the battery is; `null`: the browser does not tell. */
export function batteryWords(around: Surroundings): string | null {
  const level = around.battery === null ? null : percent(around.battery);
  if (around.charging === null) return level;
  const power = around.charging ? "charging" : "on battery";
  return level === null ? power.charAt(0).toUpperCase() + power.slice(1) : `${level}, ${power}`;
}

/** Say how the network is; `null`: the browser does not tell whether it is metered. */
export function networkWords(around: Surroundings): string | null {
  if (!around.online) return "No network";
  if (around.metered === null) return null;
  return around.metered ? "Metered: mobile data, or data is to be saved" : "Connected, not metered";
}
