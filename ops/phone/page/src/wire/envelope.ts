/** Messages as JSON, and signed content (tasks/envelope.py): bytes that were signed as they are. */

import { InvalidMessage } from "../errors.ts";
import type { Check } from "./check.ts";
import { type Bytes, concat, textOf, utf8 } from "./bytes.ts";

/** The largest message about joining or keys, in bytes, either way. */
export const MAX_MESSAGE = 64 * 1024;

/**
 * Return the message in a body of JSON of so many bytes at most.
 *
 * @throws InvalidMessage it is none of that kind; the reason tells where it is wrong, and repeats nothing of it.
 */
export function read<T>(kind: string, check: Check<T>, body: Uint8Array, most: number = MAX_MESSAGE): T {
  if (body.length > most) {
    throw new InvalidMessage(`The message has ${body.length} bytes; the most is ${most}.`);
  }
  return check(parseJson(kind, body), kind);
}

/**
 * Return the message as compact JSON of so many bytes at most, without the members that are `null`.
 *
 * @throws InvalidMessage it is larger than what is taken, or holds a number that JSON has not.
 */
export function write(message: object, most: number = MAX_MESSAGE): Bytes {
  const body = utf8(JSON.stringify(message, leaveOut));
  if (body.length > most) {
    throw new InvalidMessage(`The message would have ${body.length} bytes; the most is ${most}.`);
  }
  return body;
}

/** Return the key's signature under content for one purpose, so that none can stand in for another's. */
export async function sign(key: CryptoKey, purpose: string, content: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", key, forPurpose(purpose, content)));
}

/** Return content as it is signed or proven for a purpose. */
export function forPurpose(purpose: string, content: Uint8Array): Bytes {
  return concat(utf8(purpose), new Uint8Array(1), content);
}

function parseJson(kind: string, body: Uint8Array): unknown {
  const text = textOf(body);
  try {
    return JSON.parse(text);
  } catch {
    // Without the cause: it would show what was read, and some messages hold a password.
    throw new InvalidMessage(`The message is not a ${kind}: it is no JSON.`);
  }
}

function leaveOut(this: unknown, _name: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new InvalidMessage("The message would hold a number that is none.");
  }
  // A list keeps its length.
  return value === null && !Array.isArray(this) ? undefined : value;
}
