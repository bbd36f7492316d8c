/** Reads a task's message as a stranger's: nothing in it is believed before it is checked (tasks/message.py). */

import { InvalidMessage, StarAIError } from "../errors.ts";
import { textOf } from "./bytes.ts";
import { type Check, wrong } from "./check.ts";
import { ARGUMENTS, type Arguments, type Inputs } from "./inputs.ts";
import { momentOf } from "./moment.ts";
import { INFERENCE_TASK, PLATFORM, replyUser } from "./names.ts";

export type { ChatMessage, Inputs } from "./inputs.ts";
export { MAX_TEXTS } from "./inputs.ts";

/** The largest task or result that is sent or taken, in bytes of its JSON body. */
export const MAX_BODY = 8 * 1024 * 1024;

// It goes into reports and logs, so no more than what an id needs.
const ID = /^[A-Za-z0-9._:-]{1,64}$/;
// How web STOMP writes a queue that is answered to.
const REPLY_QUEUE = "/reply-queue/";
const WHOLE = /^-?\d{1,15}$/;
const DECIMAL = /^\d{1,6}(?:\.\d{1,20})?$/;
const SHORTEST_LEASE = 1;
const LONGEST_LEASE = 3600;

/** The headers of a message of web STOMP. */
export type Headers = Readonly<Record<string, string>>;

/**
 * A task as a device reads it.
 *
 * expires, submitted: Unix time in seconds, or `null`. returns: how often it came back to its queue before this
 * delivery. lease: seconds that it may run on one device; `null` for the usual. redelivered: whether the broker handed
 * it out before. republished: whether the platform sent it in place of one that was lost. submitter: who is answered;
 * with the id, what a task is known by. cameBack: whether it may have been started before, and has to be cleared.
 * generates, stream: whether it says how a text is to be generated, and wants the pieces of one as they are made.
 */
export interface Task {
  id: string;
  replyTo: string;
  submitter: string;
  inputs: Inputs;
  expires: number | null;
  submitted: number | null;
  returns: number;
  lease: number | null;
  redelivered: boolean;
  republished: boolean;
  cameBack: boolean;
  generates: boolean;
  stream: boolean;
}

/** A message on a task queue that is no task; `task` and `replyTo` are known where they were readable. */
export class JunkError extends StarAIError {
  readonly task: string | null;
  readonly replyTo: string | null;
  constructor(message: string, task: string | null = null, replyTo: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.task = task;
    this.replyTo = replyTo;
  }
}

/**
 * Return the task in a message of web STOMP, by its headers and its body.
 *
 * @throws JunkError it is no task, or not one that can be answered.
 */
export function readTask(headers: Headers, body: Uint8Array): Task {
  const id = taskId(headers);
  if (id === null) throw new JunkError("the message has no task id");
  const replyTo = senderReplyQueue(headers);
  if (replyTo === null) {
    throw new JunkError("the message has no user_id, or its reply address is not that user's own", id);
  }
  try {
    return { id, replyTo, submitter: replyUser(replyTo) ?? "", ...known(headers), ...argumentsIn(body) };
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    throw new JunkError(error.message, id, replyTo, { cause: error });
  }
}

/** Return how many items a task has: each of several texts is one, and all else together. */
export function itemsIn(inputs: Inputs): number {
  const isListOfTexts = Array.isArray(inputs) && inputs.every((each) => typeof each === "string");
  return isListOfTexts ? inputs.length : 1;
}

function taskId(headers: Headers): string | null {
  return ID.test(headers.id ?? "") ? (headers.id ?? null) : null;
}

/** The platform sends others' tasks again, so that it may name anybody's reply queue. */
function senderReplyQueue(headers: Headers): string | null {
  const { "user-id": user, "reply-to": address = "" } = headers;
  const replyTo = address.startsWith(REPLY_QUEUE) ? address.slice(REPLY_QUEUE.length) : address;
  const submitter = replyUser(replyTo);
  return submitter !== null && (user === submitter || user === PLATFORM) ? replyTo : null;
}

type Known = Omit<Task, "id" | "replyTo" | "submitter" | keyof Arguments>;

function known(headers: Headers): Known {
  if (headers.task !== INFERENCE_TASK) throw new InvalidMessage(`the only task here is ${INFERENCE_TASK}`);
  const [redelivered, republished] = [headers.redelivered === "true", headers["user-id"] === PLATFORM];
  return {
    lease: leaseIn(headers.lease),
    expires: expiresIn(headers.expires),
    submitted: wholeIn(headers.timestamp),
    returns: returnsIn(headers, redelivered),
    redelivered,
    republished,
    cameBack: redelivered || republished,
  };
}

function leaseIn(lease: string | undefined): number | null {
  if (lease === undefined) return null;
  const seconds = DECIMAL.test(lease) ? Number(lease) : 0;
  if (seconds < SHORTEST_LEASE || seconds > LONGEST_LEASE) {
    throw new InvalidMessage(`a lease is from ${SHORTEST_LEASE} to ${LONGEST_LEASE} s`);
  }
  return seconds;
}

function expiresIn(expires: string | undefined): number | null {
  if (expires === undefined) return null;
  const moment = momentOf(expires);
  if (typeof moment !== "number") throw new InvalidMessage(`the header 'expires' ${HOW[moment]}`);
  return moment;
}

const HOW = { "no time": "is no time", "no time zone": "has no time zone" };

function wholeIn(header: string | undefined): number | null {
  return header !== undefined && WHOLE.test(header) ? Number(header) : null;
}

function returnsIn(headers: Headers, redelivered: boolean): number {
  // The header is the broker's only then; before, whoever submitted may have written one.
  if (!redelivered) return 0;
  const count = wholeIn(headers["x-delivery-count"]);
  if (count !== null) return Math.max(count, 1);
  // RabbitMQ 4.3 counts a surplus that was handed back as acquired, not as delivered.
  return wholeIn(headers["x-acquired-count"]) === null ? 1 : 0;
}

function argumentsIn(body: Uint8Array): Arguments {
  if (body.length > MAX_BODY) {
    throw new InvalidMessage(`the body has ${body.length} bytes; the most is ${MAX_BODY}`);
  }
  try {
    return BODY(parsed(body), "it");
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    throw new InvalidMessage(`the body is not a task's: ${error.message}`, { cause: error });
  }
}

/** Positional arguments, of which there are none that matter, the task's own, and Celery's. */
const BODY: Check<Arguments> = (value, where) => {
  if (!Array.isArray(value) || value.length !== 3) throw wrong(where, "is no list of three");
  const [positional, own, celery] = value as unknown[];
  if (!Array.isArray(positional)) throw wrong(where, "does not begin with a list");
  if (typeof celery !== "object" || celery === null || Array.isArray(celery)) throw wrong(where, "ends with no object");
  return ARGUMENTS(own, "arguments");
};

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(body));
  } catch (error) {
    throw new InvalidMessage("it is no JSON", { cause: error });
  }
}
