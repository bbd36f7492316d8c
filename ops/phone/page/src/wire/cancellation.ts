/** What a device is told of cancelled tasks (tasks/cancellation_message.py). */

import { type Check, list, number, record, text, wrong } from "./check.ts";
import { read } from "./envelope.ts";

/** The routing key of `reports` under which a device asks what was cancelled; the question has no body. */
export const CANCELLATIONS = "cancellations";
/** The most cancelled tasks that a device is told at once when it connects. */
export const MOST_CANCELLED = 10_000;

const MOST_BYTES = MOST_CANCELLED * 160;

/** A task that its submitter cancelled; from `expires` on (Unix time in seconds) no device would begin it anyway. */
export interface Cancellation {
  submitter: string;
  task: string;
  expires: number;
}

/** A cancellation: it travels as a list of three. */
export const CANCELLATION: Check<Cancellation> = (value, where) => {
  if (!Array.isArray(value) || value.length !== 3) throw wrong(where, "is no list of three");
  const [submitter, task, expires] = value as unknown[];
  return {
    submitter: text({ most: 63 })(submitter, where),
    task: text({ most: 64 })(task, where),
    expires: number()(expires, where),
  };
};

const CANCELLED = record<{ cancelled: Cancellation[] }>({ cancelled: list(CANCELLATION, { most: MOST_CANCELLED }) });

/**
 * Return what the platform answered.
 *
 * @throws InvalidMessage it is no such answer.
 */
export function readCancelled(body: Uint8Array): Cancellation[] {
  return read("Cancelled", CANCELLED, body, MOST_BYTES).cancelled;
}
