/** Answers the platform's health probes: one at a time, and of those that wait the newest (worker/probes.py). */

import type { Link } from "../broker/link.ts";
import { StarAIError } from "../errors.ts";
import type { DeviceKeys } from "../wire/keys.ts";
import { REPORTS } from "../wire/names.ts";
import { digest, HEALTH, type Probe, type Readings, writeHealthReport } from "../wire/probe.ts";
import { log } from "./log.ts";
import { unixTime } from "./steady.ts";

export interface ProberOf {
  device: string;
  keys: DeviceKeys;
  link: Link;
  take: () => Promise<Readings>;
}

export class Prober {
  readonly #of: ProberOf;
  #waiting: Probe | null = null;
  #isAnswering = false;

  constructor(of: ProberOf) {
    this.#of = of;
  }

  /** Answer the probe soon, and no other that waits. */
  ask(probe: Probe): void {
    this.#waiting = probe;
    if (!this.#isAnswering) void this.#answerAll();
  }

  async #answerAll(): Promise<void> {
    this.#isAnswering = true;
    for (let probe = this.#next(); probe; probe = this.#next()) await this.#answer(probe);
    this.#isAnswering = false;
  }

  #next(): Probe | null {
    const probe = this.#waiting;
    this.#waiting = null;
    return probe;
  }

  async #answer(probe: Probe): Promise<void> {
    const { device, keys, link, take } = this.#of;
    const { cycle, nonce, padding } = probe;
    try {
      const [readings, found] = await Promise.all([take(), digest(padding)]);
      const answer = { device, cycle, nonce, at: unixTime(), digest: found, readings };
      const report = await writeHealthReport(answer, keys.signing);
      const sent = [link.publish(REPORTS, HEALTH, report, { userId: device, contentType: "application/json" })];
      if (padding.length) sent.push(link.publish(REPORTS, HEALTH, padding, echoOf(device, nonce)));
      await Promise.all(sent);
    } catch (error) {
      if (!(error instanceof StarAIError)) throw error;
      log.error("probe.unanswered", { cycle, reason: error.message });
    }
  }
}

function echoOf(device: string, nonce: string): { userId: string; correlationId: string; contentType: string } {
  return { userId: device, correlationId: nonce, contentType: "application/octet-stream" };
}
