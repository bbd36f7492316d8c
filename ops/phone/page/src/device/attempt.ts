/** One attempt at a task: what happens between its arrival and its end (tasks/inference.py, worker/device.py). */

import type { NetworkClock } from "../broker/clock.ts";
import type { Vectors } from "../contract.ts";
import { BadInput, BrokerRefused, BrokerUnreachable, Cancelled, ModelError } from "../errors.ts";
import { randomHex } from "../wire/bytes.ts";
import type { Reason } from "../wire/report.ts";
import type { Task } from "../wire/task.ts";
import type { Tensor } from "../wire/tensor.ts";
import { type Attempts, NotCleared } from "./attempts.ts";
import type { Cancellations } from "./cancellations.ts";
import { log } from "./log.ts";
import { tensorOf, textsOf } from "./output.ts";
import { reasonOf } from "./reason.ts";
import type { Says } from "./saying.ts";
import { steady } from "./steady.ts";
import { Telling } from "./telling.ts";

/** Seconds that a task may run on one device, where its submitter asked for no other time. */
export const LEASE = 60;
/** How often a task is begun, on whatever devices, before it is given up. */
export const ATTEMPTS = 3;

/** What is to become of a task's message. */
export type Verdict = "acknowledge" | "return";

/** A model, as a task sees it. */
export interface Workable {
  readonly model: string;
  /** @throws BadInput, Cancelled, ModelError: as a Host does; a ModelError as well once `lease` seconds are over. */
  run(texts: string[], lease: number, stop: AbortSignal): Promise<Vectors>;
}

/** What attempts are made with. */
export interface Making {
  attempts: Attempts;
  cancellations: Cancellations;
  clock: NetworkClock;
  saying: Says;
}

/** Do one task, say how it ended, and return what is to become of its message once the broker has that. */
export async function attempt(task: Task, model: Workable, making: Making): Promise<Verdict> {
  const began = steady();
  try {
    await making.cancellations.running(task.submitter, task.id, (stop) => tryIt(task, model, making, stop));
    log.info("task.ended", { task: task.id, ms: Math.round(1000 * (steady() - began)) });
    return "acknowledge";
  } catch (error) {
    return verdictOn(task, error, making.attempts);
  }
}

async function tryIt(arrived: Task, model: Workable, making: Making, stop: AbortSignal): Promise<void> {
  const run = randomHex(16);
  const begun = await making.attempts.begin(arrived, run, model.model);
  const task = making.clock.byOwnClock(begun.task);
  const telling = new Telling(making.saying, task, run);
  if (task.expires !== null && telling.started > task.expires) return telling.tell("expired");
  await telling.begin(begun.isOnRecord);
  let output: Tensor;
  try {
    output = await outputOf(task, model, stop);
  } catch (error) {
    return endOf(task, error, telling);
  }
  telling.ends();
  await telling.tell("succeeded", { output });
}

async function outputOf(task: Task, model: Workable, stop: AbortSignal): Promise<Tensor> {
  const texts = textsOf(task);
  return tensorOf(task, await model.run(texts, task.lease ?? LEASE, stop));
}

/** Say why there is no output; rejects where another device may do the task. */
async function endOf(task: Task, error: unknown, telling: Telling): Promise<void> {
  telling.ends();
  if (error instanceof BadInput) await telling.tell("failed", failure("bad-input", error.message));
  // Its submitter knows, but not that this attempt at it has ended.
  else if (error instanceof Cancelled) await telling.tell("cancelled");
  else await giveBackOrUp(task, asModelError(error), telling);
}

async function giveBackOrUp(task: Task, error: ModelError, telling: Telling): Promise<void> {
  if (task.returns + 1 < ATTEMPTS) {
    await telling.tellOfReturn(error.message);
    throw error;
  }
  log.error("task.given_up", { task: task.id, reason: error.message });
  await telling.tell("failed", failure("device", error.message));
}

/** A fault of ours is one attempt as well: the task must not go round for ever. */
function asModelError(error: unknown): ModelError {
  if (error instanceof ModelError) return error;
  return new ModelError(`The model ended with an error that nobody expected: ${reasonOf(error)}`, { cause: error });
}

function failure(reason: Reason, message: string): { failure: { reason: Reason; message: string } } {
  return { failure: { reason, message } };
}

function verdictOn(task: Task, error: unknown, attempts: Attempts): Verdict {
  const event = { task: task.id, reason: reasonOf(error) };
  if (error instanceof Cancelled || error instanceof NotCleared) {
    log.info("task.dropped", event); // the platform has told its submitter
    return "acknowledge";
  }
  if (error instanceof ModelError) attempts.noteFailure(task);
  const isUnsaid = error instanceof BrokerUnreachable || error instanceof BrokerRefused;
  if (isUnsaid) log.warn("task.unreported", event);
  else log.error("task.failed", event);
  return "return";
}
