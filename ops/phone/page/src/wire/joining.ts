/** How a device asks to join the network, and what it is answered (tasks/joining.py). */

import type { Deployment, Region } from "../contract.ts";
import { InvalidMessage, JoinRefused } from "../errors.ts";
import { type Bytes, fromBase64Url, randomHex, sha256, toBase64Url } from "./bytes.ts";
import { type Check, list, oneOf, optional, record, text } from "./check.ts";
import { DEPLOYMENT } from "./deployment.ts";
import { read, sign, write } from "./envelope.ts";
import type { DeviceKeys } from "./keys.ts";
import { proof } from "./proof.ts";
import { openSealed } from "./sealing.ts";

/** The routing key of `enrolment` under which it is asked. */
export const JOIN = "join";
export const REGIONS = ["asia", "europe", "north-america", "south-america", "africa", "oceania"] as const;

const REQUEST = "starai join request v1";
const ANSWER = "starai join answer v1";

/**
 * What a device says of itself when it asks to join; all of it is a claim.
 *
 * token: the join token's id. name: what the owner calls the device. hardwareId: a SHA-256 over facts of the hardware,
 * in hexadecimal. measurement: what it measured and lends, as models/claim.py has it. at: Unix time in seconds, by the
 * device's clock.
 */
export interface JoinRequest {
  token: string;
  name: string;
  hardwareId: string | null;
  measurement: object;
  at: number;
}

/** The device's own broker user. */
export interface Credentials {
  user: string;
  password: string;
}

/** What a device that may join is told. */
export interface Accepted {
  device: string;
  region: Region;
  credentials: Credentials;
  deployments: Deployment[];
}

interface Answer {
  version: 1;
  sealed: string | null;
  refusal: string | null;
  message: string | null;
}

/** A name that the platform gives: of a device, a user, a token. */
export const ID = text({ pattern: /^[A-Za-z0-9._-]{1,63}$/ });
export const REGION: Check<Region> = oneOf(...REGIONS);
const ACCEPTED = record<Accepted>({
  device: ID,
  region: REGION,
  credentials: record<Credentials>({ user: ID, password: text({ least: 1, most: 255 }) }),
  deployments: list(DEPLOYMENT, { least: 1, most: 64 }),
});
const REFUSALS = [
  "unknown-token",
  "wrong-proof",
  "revoked",
  "expired",
  "used-up",
  "malformed",
  "stale",
  "replayed",
  "retired-key",
  "other-owner",
  "blacklisted",
  "nothing-fits",
  "unavailable",
] as const;
const JOIN_ANSWER: Check<Answer> = record<Answer>({
  version: (value, where) => (value === undefined ? 1 : oneOf<1>(1)(value, where)),
  sealed: optional(text()),
  refusal: optional(oneOf<string>(...REFUSALS)),
  message: optional(text({ most: 500 })),
});

/**
 * Return the request as it travels: signed, and proven by the token's key (proof.ts, proofKey).
 *
 * @throws InvalidMessage it is too large.
 */
export async function writeJoinRequest(request: JoinRequest, keys: DeviceKeys, tokenKey: Uint8Array): Promise<Bytes> {
  const content = write({
    version: 1,
    token: request.token,
    signing: toBase64Url(keys.publicSigning),
    sealing: toBase64Url(keys.publicSealing),
    name: request.name,
    hardware_id: request.hardwareId,
    measurement: request.measurement,
    nonce: randomHex(16),
    at: request.at,
  });
  return write({
    content: toBase64Url(content),
    signature: toBase64Url(await sign(keys.signing, REQUEST, content)),
    proof: toBase64Url(await proof(tokenKey, REQUEST, content)),
  });
}

/**
 * Return what the platform answered to a request (its body as it was sent).
 *
 * @throws JoinRefused the platform refused. Anybody who may answer could have said so: try again before giving up.
 * @throws InvalidMessage it is no answer, or not the answer to this request from who knows the token.
 */
export async function readJoinAnswer(
  body: Uint8Array,
  keys: DeviceKeys,
  request: Uint8Array,
  tokenKey: Uint8Array,
): Promise<Accepted> {
  const { sealed, refusal, message } = read("JoinAnswer", JOIN_ANSWER, body);
  if ((sealed === null) === (refusal === null)) throw new InvalidMessage("The answer is neither sealed nor a refusal.");
  if (refusal !== null) throw new JoinRefused(refusal, message || `The platform refused: ${refusal}.`);
  const bound = await proof(tokenKey, ANSWER, await sha256(request));
  return read("Accepted", ACCEPTED, await openSealed(keys, fromBase64Url(sealed ?? ""), bound));
}
