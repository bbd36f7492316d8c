/** Frames of STOMP 1.2, each of which is one message of the WebSocket. */

import { InvalidMessage } from "../errors.ts";
import { type Bytes, concat, utf8 } from "../wire/bytes.ts";

export interface Frame {
  command: string;
  /** By their names; see `headersOf`. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/** What is sent now and then so that both sides know that the other is there. */
export const HEARTBEAT = "\n";

const NOTHING = new Uint8Array();
const LINE = 10;
const END = 0;
const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c" };
const ESCAPED = new Map(Object.entries(ESCAPES).map(([character, escape]) => [escape, character]));
const names = new TextDecoder();
// Frames that are older than escaping.
const PLAIN = new Set(["CONNECT", "CONNECTED"]);
// What the broker says of a delivery, and writes before all else.
const OF_DELIVERY = new Set(["subscription", "destination", "message-id", "redelivered", "ack"]);

/** Return the bytes of a frame. */
export function writeFrame(command: string, headers: Record<string, string>, body: Uint8Array = NOTHING): Bytes {
  const escaped = PLAIN.has(command) ? plain : escape;
  const lines = Object.entries(headers).map(([name, value]) => `${escaped(name)}:${escaped(value)}\n`);
  if (body.length) lines.push(`content-length:${body.length}\n`);
  return concat(utf8(`${command}\n${lines.join("")}\n`), body, new Uint8Array(1));
}

/**
 * Return the frame in a message of the WebSocket, or `null` for a heartbeat.
 *
 * Where the frame ends says the message: the broker repeats a header `content-length` that is a submitter's before its
 * own, by which whoever submits could have a part of a body read as a frame of the broker's.
 *
 * @throws InvalidMessage it is none.
 */
export function readFrame(data: ArrayBuffer | string): Frame | null {
  const bytes = typeof data === "string" ? utf8(data) : new Uint8Array(data);
  if (bytes.every((byte) => byte === LINE)) return null;
  const head = endOfHead(bytes);
  const [command = "", ...lines] = names.decode(bytes.subarray(0, head - 1)).split("\n");
  const body = bytes.subarray(head + 1, endOfBody(bytes, head + 1));
  return { command, headers: headersOf(lines.map((line) => pair(command, line))), body };
}

/**
 * Return headers by their names, each with the value that the broker vouches for where one is given more than once.
 *
 * It writes what it says of the delivery, then the headers of whoever sent the message, then the properties of the
 * message, such as the user id that it has validated.
 */
export function headersOf(pairs: readonly (readonly [string, string])[]): Readonly<Record<string, string>> {
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairs) {
    if (!(name in headers) || !OF_DELIVERY.has(name)) headers[name] = value;
  }
  return headers;
}

function endOfHead(bytes: Uint8Array): number {
  for (let at = bytes.indexOf(LINE); at >= 0; at = bytes.indexOf(LINE, at + 1)) {
    if (bytes[at + 1] === LINE) return at + 1;
  }
  throw new InvalidMessage("The broker sent a frame without an end.");
}

function endOfBody(bytes: Uint8Array, from: number): number {
  const end = bytes.length - (bytes.at(-1) === LINE ? 2 : 1);
  if (end < from || bytes[end] !== END) throw new InvalidMessage("The broker sent a frame without an end.");
  return end;
}

function pair(command: string, line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 0) throw new InvalidMessage("The broker sent a header without a value.");
  const unescaped = PLAIN.has(command) ? plain : unescape;
  return [unescaped(line.slice(0, colon)), unescaped(line.slice(colon + 1))];
}

function escape(text: string): string {
  return text.replace(/[\\\r\n:]/g, (character) => ESCAPES[character] ?? character);
}

function unescape(text: string): string {
  return text.replace(/\\./g, (escaped) => ESCAPED.get(escaped) ?? escaped);
}

function plain(text: string): string {
  return text;
}
