/** The join token (broker_config/join_token.py): one line of text that lets a new device find the network. */

import type { BrokerLogin } from "../contract.ts";
import { InvalidMessage, InvalidToken } from "../errors.ts";
import { type Bytes, fromBase64Url, isEqual, sha256, textOf } from "./bytes.ts";
import { type Check, flag, oneOf, optional, record, text, whole } from "./check.ts";

const PREFIX = "starai-";
const CHECKSUM = 4;
const LONGEST = 4096;
const NOT_MADE = "The token's checksum is right, but it is not one that a StarAI platform made";
const NO_PHONES =
  "This network's broker takes no phones yet. Its operator has to turn web STOMP on " +
  "(see 'Phones' in StarAI's documentation), and then to issue a new token.";

/**
 * What an owner gives to a device.
 *
 * host, port, vhost, tls, ca: where the broker is; `web` is the port of its web STOMP.
 * user, password: the bootstrap login, which may do nothing but ask to join.
 * id, secret: the token's name to the platform, and what proves it; the secret is never sent.
 */
export interface JoinToken {
  version: 1;
  host: string;
  port: number;
  vhost: string;
  tls: boolean;
  ca: string | null;
  user: string;
  password: string;
  id: string;
  secret: string;
  web: number;
}

type Read = Omit<JoinToken, "web"> & { web: number | null };

const NAME = text({ pattern: /^[A-Za-z0-9._-]{1,63}$/ });
const PORT = whole({ least: 1, most: 65535 });
const TOKEN: Check<Read> = record<Read>({
  version: oneOf(1),
  host: text({ pattern: /^[A-Za-z0-9._:-]{1,253}$/ }),
  port: PORT,
  vhost: text({ least: 1, most: 255 }),
  tls: flag,
  ca: optional(text({ pattern: /^[0-9a-f]{64}$/ })),
  user: NAME,
  password: text({ least: 1, most: 255 }),
  id: NAME,
  secret: text({ least: 43, most: 43 }),
  web: optional(PORT),
});

/**
 * Return the token that the text is, or that a link to the page ends with; spaces and line breaks do not matter.
 *
 * @throws InvalidToken it is none: not a token's form, mistyped, of another release, or of a network whose broker
 *   takes no phones. No message repeats a part of it.
 */
export async function parseToken(text: string): Promise<JoinToken> {
  const content = await contentOf(wordOf(text));
  const data = dataOf(content);
  if (isOfAnotherRelease(data)) {
    throw new InvalidToken("The token was made by another release of StarAI. Reload this page to update it.");
  }
  const token = checked(data);
  if (token.web === null) throw new InvalidToken(NO_PHONES);
  return { ...token, web: token.web };
}

/** Return where and as whom to ask to join. */
export function bootstrapLogin(token: JoinToken): BrokerLogin {
  return loginAs(token, token.user, token.password);
}

/** Return where the broker is, with the login of a device. */
export function loginAs(token: JoinToken, user: string, password: string): BrokerLogin {
  const host = token.host.includes(":") ? `[${token.host}]` : token.host;
  const url = `${token.tls ? "wss" : "ws"}://${host}:${token.web}/ws`;
  return { url, vhost: token.vhost, user, password };
}

function wordOf(text: string): string {
  const word = text.replace(/\s/gu, "");
  return word.slice(word.lastIndexOf("#") + 1);
}

async function contentOf(word: string): Promise<Bytes> {
  if (!word.startsWith(PREFIX) || word.length > LONGEST) {
    throw new InvalidToken(`That is no join token: one begins with '${PREFIX}' and is a single word. Copy it again.`);
  }
  const whole = bytesOf(word.slice(PREFIX.length));
  const content = whole.slice(0, Math.max(whole.length - CHECKSUM, 0));
  const checksum = (await sha256(content)).slice(0, CHECKSUM);
  if (!isEqual(checksum, whole.slice(content.length))) {
    throw new InvalidToken("The token was mistyped, or a part of it is missing. Copy it again, whole.");
  }
  return content;
}

function bytesOf(word: string): Bytes {
  try {
    return fromBase64Url(word);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return new Uint8Array(0);
  }
}

function dataOf(content: Bytes): unknown {
  try {
    return JSON.parse(textOf(content));
  } catch {
    // Without the cause: it would show what was parsed, and so the secret.
    throw new InvalidToken(`${NOT_MADE}.`);
  }
}

function isOfAnotherRelease(data: unknown): boolean {
  const isObject = typeof data === "object" && data !== null && !Array.isArray(data);
  return isObject && (data as { version?: unknown }).version !== 1;
}

function checked(data: unknown): Read {
  let token: Read;
  try {
    token = TOKEN(data, "token");
  } catch (error) {
    const field = error instanceof InvalidMessage ? /token\.([a-z]+)/.exec(error.message)?.[1] : undefined;
    throw new InvalidToken(`${NOT_MADE}: wrong${field ? ` in its ${field}` : ""}.`);
  }
  if (token.tls !== (token.ca !== null)) throw new InvalidToken(`${NOT_MADE}: wrong.`);
  return token;
}
