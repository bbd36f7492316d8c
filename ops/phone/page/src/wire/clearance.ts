/** What a device and the platform say of a task that came back (tasks/clearance_message.py): may it be started? */

import type { Bytes } from "./bytes.ts";
import { flag, oneOf, optional, record, text, whole } from "./check.ts";
import { read, write } from "./envelope.ts";
import type { Task } from "./task.ts";

/** The routing key of `reports` under which a device asks. */
export const CLEARANCE = "clearance";

/**
 * Whether the device is to start the task; if not, it acknowledges it and says nothing more of it.
 *
 * attempt: the how manyth this is, from 1, or `null` where the platform cannot tell. reason: why not.
 */
export interface ClearanceAnswer {
  start: boolean;
  attempt: number | null;
  reason: string | null;
}

const ANSWER = record<ClearanceAnswer & { version: 1 | null }>({
  version: optional(oneOf<1>(1)),
  start: flag,
  attempt: optional(whole({ least: 1 })),
  reason: optional(text({ most: 500 })),
});

/** Return the question about a task; `run` is the id (hexadecimal) of the attempt that this would be, on that model. */
export function writeClearanceRequest(task: Task, run: string, model: string): Bytes {
  const { id, replyTo, returns, republished } = task;
  return write({ version: 1, task: id, reply_to: replyTo, run, model, returns, republished });
}

/**
 * Return what the platform answered.
 *
 * @throws InvalidMessage it is no such answer.
 */
export function readClearanceAnswer(body: Uint8Array): ClearanceAnswer {
  const { start, attempt, reason } = read("ClearanceAnswer", ANSWER, body);
  return { start, attempt, reason };
}
