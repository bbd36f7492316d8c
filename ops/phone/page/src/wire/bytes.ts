/** Bytes as text and back, and what is done with bytes. */

import { InvalidMessage } from "../errors.ts";

/** Bytes that WebCrypto takes: not in memory that is shared. */
export type Bytes = Uint8Array<ArrayBuffer>;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const CODES = Uint8Array.from(ALPHABET, (letter) => letter.charCodeAt(0));
const URL_SAFE = /^[A-Za-z0-9_-]*$/;
const PADDING = "=".charCodeAt(0);

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ascii = new TextDecoder("latin1");

/** Return the text in UTF-8; half of a surrogate pair becomes U+FFFD. */
export function utf8(text: string): Bytes {
  return encoder.encode(text);
}

/**
 * Return the text of bytes in UTF-8.
 *
 * @throws InvalidMessage they are not UTF-8.
 */
export function textOf(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch (error) {
    throw new InvalidMessage("The message is not UTF-8 text.", { cause: error });
  }
}

/** Return the parts one after the other. */
export function concat(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Tell whether both are the same bytes. */
export function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Return the bytes in hexadecimal, in small letters. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Return so many random bytes in hexadecimal. */
export function randomHex(size: number): string {
  return toHex(crypto.getRandomValues(new Uint8Array(size)));
}

/** Return the SHA-256 of the bytes. */
export async function sha256(bytes: Uint8Array): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", own(bytes)));
}

/** Return the bytes in base64, with padding. */
export function toBase64(bytes: Uint8Array): string {
  const { length } = bytes;
  const letters = new Uint8Array(4 * Math.ceil(length / 3));
  for (let at = 0, to = 0; at < length; at += 3, to += 4) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    letters[to] = CODES[group >> 18] ?? 0;
    letters[to + 1] = CODES[(group >> 12) & 63] ?? 0;
    letters[to + 2] = at + 1 < length ? (CODES[(group >> 6) & 63] ?? 0) : PADDING;
    letters[to + 3] = at + 2 < length ? (CODES[group & 63] ?? 0) : PADDING;
  }
  return ascii.decode(letters);
}

/** Return the bytes in base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Return the bytes of a text in base64url without padding, which has exactly one spelling.
 *
 * @throws InvalidMessage it is not what toBase64Url makes; the message does not repeat it.
 */
export function fromBase64Url(text: string): Bytes {
  if (!URL_SAFE.test(text) || text.length % 4 === 1) {
    throw new InvalidMessage("The text is not base64url without padding.");
  }
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  // The last character may have bits that no byte uses; another spelling of the same bytes is a changed message.
  if (toBase64Url(bytes) !== text) throw new InvalidMessage("The text is not base64url in its one spelling.");
  return bytes;
}

/** Return the bytes themselves where they are in memory of their own, else a copy. */
export function own(bytes: Uint8Array): Bytes {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Bytes) : new Uint8Array(bytes);
}
