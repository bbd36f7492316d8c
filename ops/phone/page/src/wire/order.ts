/** An order: what the platform asks of one device (tasks/order.py). */

import { InvalidMessage } from "../errors.ts";
import { CANCELLATION, type Cancellation } from "./cancellation.ts";
import { defaulted, flag, list, oneOf, optional, record } from "./check.ts";
import { read } from "./envelope.ts";
import { PLATFORM } from "./names.ts";
import { MOST_PADDING, PROBE, type Probe } from "./probe.ts";

const MOST_CANCELLED = 20;
// A probe may bring padding along.
const MAX_BODY = 2 * MOST_PADDING;

/**
 * What a device is to do from now on: take tasks or not, leave some alone, say how it is.
 *
 * cancel: tasks that it is not to begin, and to stop where it runs them. sound: whether it is in the upper band.
 */
export interface Order {
  duty: "serve" | "rest" | null;
  cancel: Cancellation[];
  probe: Probe | null;
  sound: boolean | null;
}

const ORDER = record<Order>({
  duty: optional(oneOf("serve", "rest")),
  cancel: defaulted(list(CANCELLATION, { most: MOST_CANCELLED }), []),
  probe: optional(PROBE),
  sound: optional(flag),
});

/** Return the order in a message of that user id, or `null` when it is none of the platform's. */
export function readOrder(userId: string | undefined, body: Uint8Array): Order | null {
  if (userId !== PLATFORM) return null;
  try {
    const order = read("Order", ORDER, body, MAX_BODY);
    return asksForSomething(order) ? order : null;
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return null;
  }
}

function asksForSomething(order: Order): boolean {
  return order.duty !== null || order.cancel.length > 0 || order.probe !== null || order.sound !== null;
}
