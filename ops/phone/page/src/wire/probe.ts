/** A health probe, and what a device answers: signed over all that it says of itself (tasks/probe.py). */

import { type Bytes, fromBase64Url, sha256, toBase64Url, toHex } from "./bytes.ts";
import { type Check, defaulted, record, text, whole, wrong } from "./check.ts";
import { sign, write } from "./envelope.ts";

/** The routing key of `reports` for answers to probes; nobody answers them. */
export const HEALTH = "health";
/** The most that a probe may bring along to time its way, in bytes. */
export const MOST_PADDING = 256 * 1024;

const MAX_REPORT = 16 * 1024;
const PURPOSE = "starai health report v1";

/** What the platform asks of one device; `padding` are bytes whose way is timed, none in most cycles. */
export interface Probe {
  cycle: number;
  nonce: string;
  padding: Bytes;
}

/**
 * What a device says of itself at one moment, by the names of tasks/probe.py.
 *
 * load, processor: from 0 to 1. temperature: in degrees Celsius. memory_left, disk_left: bytes. `null`: not known.
 * broken: the models that it cannot run, each with the reason. No text is longer than 200 characters or has control
 * characters.
 */
export interface Readings {
  load: number;
  processor: number | null;
  temperature: number | null;
  memory_left: number | null;
  disk_left: number | null;
  gpus: [];
  provider: string;
  provider_fault: string | null;
  models: string[];
  broken: Record<string, string>;
  running: number;
  held: number;
  unsettled: number;
  consumers: number;
  paused: string | null;
}

/** A device's answer to a probe; `at` is Unix time in seconds, by the device's clock. */
export interface HealthReport {
  device: string;
  cycle: number;
  nonce: string;
  at: number;
  digest: string | null;
  readings: Readings;
}

const PADDING: Check<Bytes> = (value, where) => {
  const padding = fromBase64Url(text()(value, where));
  if (padding.length > MOST_PADDING) throw wrong(where, "is too long");
  return padding;
};

/** A probe, in an order. */
export const PROBE: Check<Probe> = record<Probe>({
  cycle: whole({ least: 0 }),
  nonce: text({ pattern: /^[0-9a-f]{32}$/ }),
  padding: defaulted(PADDING, new Uint8Array(0)),
});

/** Return what a report says of a probe's padding: `null` where there is none. */
export async function digest(padding: Uint8Array): Promise<string | null> {
  return padding.length ? toHex(await sha256(padding)) : null;
}

/**
 * Return the report as it travels: signed. A probe's padding is sent back after it, as it is, under the same key, with
 * the nonce as the message's correlation id.
 *
 * @throws InvalidMessage it is too large.
 */
export async function writeHealthReport(report: HealthReport, signing: CryptoKey): Promise<Bytes> {
  const content = write({ version: 1, ...report }, MAX_REPORT);
  const signature = toBase64Url(await sign(signing, PURPOSE, content));
  return write({ content: toBase64Url(content), signature }, 2 * MAX_REPORT);
}
