/** Every name that goes over the wire (broker_config/names.py): exchanges, queues, keys, users. */

import type { Region } from "../contract.ts";
import { InvalidMessage } from "../errors.ts";

export const VHOST = "starai";
export const RESULTS = "results";
export const REPORTS = "reports";
export const ENROLMENT = "enrolment";
/** The broker user of the platform, as whom it says everything. */
export const PLATFORM = "platform";
/** The one task that submitters name and devices run. */
export const INFERENCE_TASK = "starai.inference";

const INFERENCE = "inference";
const REPLY = "reply.";
const NUMBER = /^[0-9a-f]{1,32}$/;
const WIRE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Return the form of a model's or device's name that stands in keys, queues and users: without dots.
 *
 * @throws InvalidMessage it cannot be one.
 */
export function wireName(name: string): string {
  const wire = name.replaceAll(".", "-");
  if (!WIRE.test(wire)) throw new InvalidMessage(`'${name.slice(0, 80)}' cannot be a name here.`);
  return wire;
}

/** Return the queue in which a region's tasks for a model wait. */
export function taskQueue(region: Region, tier: string, model: string): string {
  return `${INFERENCE}.${region}.${tier}.${wireName(model)}`;
}

/** Return the control queue of one device. */
export function deviceQueue(device: string): string {
  return `device.${wireName(device)}`;
}

/** Return the routing key of `results` under which a task's state goes back to who asked. */
export function resultKey(replyTo: string, state: string): string {
  return `${replyTo}.${state}`;
}

/** Return the user whose reply queue that would be, or `null` when it is no reply queue's name. */
export function replyUser(name: string): string | null {
  if (!name.startsWith(REPLY)) return null;
  const dash = name.lastIndexOf("-");
  const owner = name.slice(REPLY.length, Math.max(dash, REPLY.length));
  return WIRE.test(owner) && NUMBER.test(name.slice(dash + 1)) ? owner : null;
}
