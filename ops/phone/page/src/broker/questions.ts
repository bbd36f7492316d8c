/** Questions to the platform, answered on the very connection that asks (worker/questions.py). */

import { BrokerUnreachable, type StarAIError } from "../errors.ts";
import { randomHex } from "../wire/bytes.ts";
import { PLATFORM, REPORTS } from "../wire/names.ts";
import type { NetworkClock } from "./clock.ts";
import type { Link, Message } from "./link.ts";

/** The broker's own name for "on this very connection"; it needs no queue and no permission. */
export const REPLIES = "amq.rabbitmq.reply-to";

interface Open {
  answer(body: Uint8Array): void;
  fail(error: StarAIError): void;
}

/** What was asked and is not answered yet. */
export class Questions {
  private readonly user: string;
  private readonly clock: NetworkClock;
  private readonly open = new Map<string, Open>();

  /** `user` is the device's broker user; `clock` is told what time the platform's answers are from. */
  constructor(user: string, clock: NetworkClock) {
    this.user = user;
    this.clock = clock;
  }

  /**
   * Hear answers over a link's new connection; the broker wants that before anything is asked over it. What was asked
   * over an earlier one is rejected with BrokerUnreachable: its answer cannot come any more.
   *
   * @throws BrokerUnreachable, BrokerRefused as Link.subscribe.
   */
  async listen(link: Link): Promise<void> {
    const lost = new BrokerUnreachable("The connection over which the platform was asked was lost.");
    for (const { fail } of [...this.open.values()]) fail(lost);
    await link.subscribe(REPLIES, { mode: "auto" }, (message) => this.take(message));
  }

  /**
   * Ask the platform under that key of `reports`, and return its answer. The broker drops a question that nobody has
   * read within that time.
   *
   * @throws BrokerUnreachable nobody answered within so many milliseconds, or the connection was lost.
   * @throws BrokerRefused the broker refused.
   */
  ask(link: Link, key: string, body: Uint8Array, withinMs: number): Promise<Uint8Array> {
    const number = randomHex(16);
    const sent = { userId: this.user, replyTo: REPLIES, correlationId: number, expiration: withinMs };
    return new Promise((resolve, reject) => {
      const silence = new BrokerUnreachable(`The platform did not answer '${key}' in time.`);
      const late = setTimeout(() => fail(silence), withinMs);
      const forget = () => void (clearTimeout(late), this.open.delete(number));
      const fail = (error: StarAIError) => void (forget(), reject(error));
      this.open.set(number, { answer: (answer) => void (forget(), resolve(answer)), fail });
      link.publish(REPORTS, key, body, sent).catch(fail);
    });
  }

  private take({ headers, body }: Message): void {
    const asked = this.open.get(headers["correlation-id"] ?? "");
    if (!asked || headers["user-id"] !== PLATFORM) return;
    const seconds = Number(headers.timestamp);
    if (seconds > 0) this.clock.tell(seconds);
    asked.answer(body);
  }
}
