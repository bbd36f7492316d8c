/** One state of one task, as its submitter and the platform hear of it (starai/wire.py, worker/junk.py). */

import type { Region } from "../contract.ts";
import type { Bytes } from "./bytes.ts";
import { write } from "./envelope.ts";
import { MAX_BODY } from "./task.ts";
import type { Tensor } from "./tensor.ts";

/** What a task may be in, as far as a device says so. */
export type State = "started" | "progress" | "requeued" | "succeeded" | "failed" | "expired" | "cancelled";

/** Why a task failed, so that the submitter gets the right error. */
export type Reason = "bad-input" | "unknown-model" | "device";

/** Why a task did not succeed, in words for the submitter: 2000 characters at most. */
export interface Failure {
  reason: Reason;
  message: string;
}

/**
 * One state of one task. What is left out is not sent.
 *
 * at: Unix time in seconds. run: tells apart the attempts at a task. started: when this attempt began, in Unix time.
 * note: for `requeued`, why, in 500 characters at most.
 */
export interface Report {
  task: string;
  state: State;
  at: number;
  run?: string;
  started?: number;
  device?: string;
  region?: Region;
  note?: string;
  output?: Tensor;
  failure?: Failure;
}

const MOST_MESSAGE = 2000;
const MOST_NOTE = 500;
// The most of a reason that is repeated: it may quote what a stranger wrote.
const MOST_REASON = 500;

/**
 * Return the report as it travels, under resultKey(replyTo, state) of `results`; what is too long to say is cut off.
 *
 * @throws InvalidMessage its result is too large.
 */
export function writeReport(report: Report): Bytes {
  const { failure, note } = report;
  const short = {
    ...report,
    ...(note !== undefined && { note: cut(note, MOST_NOTE) }),
    ...(failure && { failure: { ...failure, message: cut(failure.message, MOST_MESSAGE) } }),
  };
  return write(short, MAX_BODY);
}

/** Return the report that refuses a task which is none; `at` is Unix time in seconds. */
export function junkReport(task: string, reason: string, device: string, region: Region, at: number): Report {
  const message = `The task was refused: ${cut(reason, MOST_REASON)}.`;
  return { task, state: "failed", at, device, region, failure: { reason: "bad-input", message } };
}

/** Return the text's first characters; none of them is cut in two. */
function cut(text: string, most: number): string {
  return text.length <= most ? text : [...text].slice(0, most).join("");
}
