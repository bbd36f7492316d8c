/** What this phone is made of, as far as its browser tells. */

import type { Measurement } from "../contract.ts";

/** A phone; memory in bytes. */
export type Phone = Pick<
  Measurement,
  "operating_system" | "cpu_model" | "physical_cores" | "threads" | "memory_bytes" | "memory_available_bytes"
>;

/** What browsers tell of themselves; those of iPhones tell less. */
export interface Told {
  readonly userAgent: string;
  readonly hardwareConcurrency?: number;
  /** GiB, rounded, and at most 8. */
  readonly deviceMemory?: number;
  readonly userAgentData?: {
    readonly platform: string;
    getHighEntropyValues(hints: string[]): Promise<{ architecture?: string; model?: string; platformVersion?: string }>;
  };
}

/** GiB that a phone has whose browser does not tell, by assumption. */
const MEMORY = 2;

/** In a browser's own words for itself, the most telling first. */
const SYSTEMS: [RegExp, string][] = [
  [/Android (\d+)/, "Android"],
  [/(?:iPhone|CPU) OS (\d+)/, "iOS"],
  [/Windows NT (\d+)/, "Windows"],
  [/Mac OS X (\d+)/, "macOS"],
  [/Linux/, "Linux"],
];

/** Look at this phone. */
export async function findPhone(told: Told): Promise<Phone> {
  const known = await told.userAgentData
    ?.getHighEntropyValues(["architecture", "model", "platformVersion"])
    .catch(() => undefined); // a browser may keep it to itself
  const cores = Math.min(Math.max(told.hardwareConcurrency ?? 1, 1), 8192);
  const memory = Math.round((told.deviceMemory ?? MEMORY) * 2 ** 30);
  const says = [known?.architecture, known?.model].filter(Boolean).join(", ");
  return {
    operating_system: plain(named(told, known?.platformVersion) || told.userAgent) || "unknown",
    cpu_model: plain(`a phone with ${cores} ${cores === 1 ? "core" : "cores"}${says && ` (${says})`}`),
    physical_cores: cores,
    threads: cores,
    memory_bytes: memory,
    memory_available_bytes: Math.floor(memory / 2), // the rest is others'
  };
}

function named({ userAgent, userAgentData }: Told, version: string | undefined): string {
  if (userAgentData?.platform) return `${userAgentData.platform} ${version?.split(".")[0] ?? ""}`;
  for (const [pattern, name] of SYSTEMS) {
    const found = pattern.exec(userAgent);
    if (found) return `${name} ${found[1] ?? ""}`;
  }
  return "";
}

/** As a measurement can hold it: one line, at most 200 characters (models/measurement.py). */
function plain(text: string): string {
  return text.replace(/[\p{C}\s]+/gu, " ").trim().slice(0, 200);
}
