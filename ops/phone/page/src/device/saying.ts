/** Saying what became of a task: reports are sent over the control connection until the broker has them. */

import type { Link } from "../broker/link.ts";
import type { Region } from "../contract.ts";
import { BrokerUnreachable } from "../errors.ts";
import { RESULTS, resultKey } from "../wire/names.ts";
import { type Report, writeReport } from "../wire/report.ts";
import { steady } from "./steady.ts";

/** Seconds within which the broker has to take the report of a task's end, or the task goes to another device. */
export const CONFIRMED_WITHIN = 30;

/** Who says it. */
export interface Who {
  device: string;
  region: Region;
}

/** Says reports; see `Saying`. */
export interface Says {
  readonly who: Who;
  say(replyTo: string, report: Report, within?: number): Promise<void>;
}

export class Saying implements Says {
  readonly #link: Link;
  readonly who: Who;

  constructor(link: Link, who: Who) {
    this.#link = link;
    this.who = who;
  }

  /**
   * Send a report to who asked, over this connection or, if it is lost, the next one.
   *
   * @throws BrokerUnreachable the broker did not take it in time. BrokerRefused: it refused.
   * @throws InvalidMessage the report is too large.
   */
  async say(replyTo: string, report: Report, within: number = CONFIRMED_WITHIN): Promise<void> {
    const [body, until] = [writeReport(report), steady() + within];
    const properties = { userId: this.who.device, correlationId: report.task, contentType: "application/json" };
    for (;;) {
      await this.#link.connected(Math.max(1000 * (until - steady()), 1));
      try {
        return await inTime(this.#link.publish(RESULTS, resultKey(replyTo, report.state), body, properties), until);
      } catch (error) {
        if (!(error instanceof BrokerUnreachable) || steady() >= until) throw error;
      }
    }
  }
}

function inTime(sent: Promise<void>, until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = (): void => reject(new BrokerUnreachable("The broker did not take the report in time."));
    const timer = setTimeout(late, Math.max(1000 * (until - steady()), 0));
    sent.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
