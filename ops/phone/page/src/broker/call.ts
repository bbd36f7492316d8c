/** Asks the platform something and waits for its answer, over a connection of its own (worker/call.py). */

import type { BrokerLogin } from "../contract.ts";
import { BrokerUnreachable } from "../errors.ts";
import { Link } from "./link.ts";
import { REPLIES } from "./questions.ts";

/** Milliseconds for the platform to answer. It may make a broker user and the queues of new models meanwhile. */
export const ANSWERED_WITHIN = 60_000;

const OPENED_WITHIN = 15_000;

/**
 * Publish a request as the login's user, and return what was answered within so many milliseconds.
 *
 * @throws BrokerUnreachable the broker could not be reached, or nobody answered in time.
 * @throws BrokerRefused the broker refused.
 */
export async function call(
  login: BrokerLogin,
  exchange: string,
  key: string,
  body: Uint8Array,
  withinMs: number = ANSWERED_WITHIN,
): Promise<Uint8Array> {
  const link = new Link(login);
  try {
    link.open();
    await link.connected(Math.min(OPENED_WITHIN, withinMs));
    return await asked(link, login.user, exchange, key, body, withinMs);
  } finally {
    await link.close(0);
  }
}

function asked(
  link: Link,
  user: string,
  exchange: string,
  key: string,
  body: Uint8Array,
  withinMs: number,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const silence = `Nobody answered the ${key} request within ${withinMs / 1000} s. Does the network's platform run?`;
    const late = setTimeout(() => reject(new BrokerUnreachable(silence)), withinMs);
    const answered = (answer: Uint8Array) => void (clearTimeout(late), resolve(answer));
    const failed = (error: unknown) => void (clearTimeout(late), reject(error));
    const ask = async () => {
      await link.subscribe(REPLIES, { mode: "auto" }, (message) => answered(message.body));
      await link.publish(exchange, key, body, { userId: user, replyTo: REPLIES, expiration: withinMs });
    };
    ask().catch(failed);
  });
}
