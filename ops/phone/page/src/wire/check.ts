/** What a value from a stranger has to be before it is believed. Nothing unknown is let through. */

import { InvalidMessage } from "../errors.ts";

/** Returns the value as what it has to be; `where` names it in the InvalidMessage that is thrown otherwise. */
export type Check<T> = (value: unknown, where: string) => T;

interface TextLimits {
  least?: number;
  most?: number;
  pattern?: RegExp;
}

interface NumberLimits {
  least?: number;
  most?: number;
  above?: number;
}

/** A text of so many characters, of a pattern. */
export function text({ least = 0, most = Infinity, pattern }: TextLimits = {}): Check<string> {
  return (value, where) => {
    if (typeof value !== "string") throw wrong(where, "is no text");
    // A character may be two of what JavaScript counts.
    if (value.length > most && [...value].length > most) throw wrong(where, "is too long");
    if (least > 0 && [...value].length < least) throw wrong(where, "is too short");
    if (pattern && !pattern.test(value)) throw wrong(where, "has another form");
    return value;
  };
}

/** A number within limits, both of which it may be. */
export function number({ least = -Infinity, most = Infinity, above = -Infinity }: NumberLimits = {}): Check<number> {
  return (value, where) => {
    if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(where, "is no number");
    if (value < least || value > most || value <= above) throw wrong(where, "is out of bounds");
    return value;
  };
}

/** A whole number within limits, both of which it may be. */
export function whole(limits: NumberLimits = {}): Check<number> {
  const inLimits = number(limits);
  return (value, where) => {
    if (!Number.isInteger(inLimits(value, where))) throw wrong(where, "is no whole number");
    return value as number;
  };
}

/** True or false. */
export const flag: Check<boolean> = (value, where) => {
  if (typeof value !== "boolean") throw wrong(where, "is neither true nor false");
  return value;
};

/** One of these texts or numbers. */
export function oneOf<T extends string | number>(...known: readonly T[]): Check<T> {
  return (value, where) => {
    const found = known.find((one) => one === value);
    if (found === undefined) throw wrong(where, "is none that is known");
    return found;
  };
}

/** A list of so many at most. */
export function list<T>(item: Check<T>, { least = 0, most = Infinity } = {}): Check<T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw wrong(where, "is no list");
    if (value.length < least || value.length > most) throw wrong(where, "has another length");
    return value.map((one, at) => item(one, `${where}[${at}]`));
  };
}

/** What may be missing or `null`. */
export function optional<T>(check: Check<T>): Check<T | null> {
  return (value, where) => (value === undefined || value === null ? null : check(value, where));
}

/** What may be missing, and then is this. */
export function defaulted<T>(check: Check<T>, missing: T): Check<T> {
  return (value, where) => (value === undefined ? missing : check(value, where));
}

/** An object of these members, and no others. */
export function record<T extends object>(fields: { [Name in keyof T]: Check<T[Name]> }): Check<T> {
  const known = Object.entries(fields) as [string, Check<unknown>][];
  return (value, where) => {
    const members = memberMap(value, where);
    if ([...members.keys()].some((name) => !Object.hasOwn(fields, name))) throw wrong(where, "has an unknown member");
    const checked = known.map(([name, check]) => [name, check(members.get(name), `${where}.${name}`)]);
    return Object.fromEntries(checked) as T;
  };
}

/** An object of any names, so many at most. */
export function mapping<T>(check: Check<T>, { least = 0, most = Infinity } = {}): Check<Map<string, T>> {
  return (value, where) => {
    const members = memberMap(value, where);
    if (members.size < least || members.size > most) throw wrong(where, "has another number of members");
    return new Map([...members].map(([name, one]) => [name, check(one, where)]));
  };
}

/** What one of these takes, tried one after the other; else `what` is said of it. */
export function anyOf<T>(what: string, ...checks: Check<T>[]): Check<T> {
  return (value, where) => {
    for (const check of checks) {
      try {
        return check(value, where);
      } catch (error) {
        if (!(error instanceof InvalidMessage)) throw error;
      }
    }
    throw wrong(where, what);
  };
}

/** Return the error that says where a value is wrong, and how; it repeats nothing of it. */
export function wrong(where: string, how: string): InvalidMessage {
  return new InvalidMessage(`The message is wrong: ${where} ${how}.`);
}

function memberMap(value: unknown, where: string): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where, "is no object");
  return new Map(Object.entries(value));
}
