/** Proves that somebody holds a join token's secret, which itself is never sent (broker_config/proof.py). */

import { type Bytes, own, utf8 } from "./bytes.ts";
import { forPurpose } from "./envelope.ts";

/** Return the 32 bytes with which proofs by the token of that id are made. */
export async function proofKey(token: string, secret: string): Promise<Bytes> {
  return derive(utf8(secret), utf8(`starai join proof v1 ${token}`));
}

/** Return the proof, an HMAC-SHA256, that a holder of the key made this content for this purpose. */
export async function proof(key: Uint8Array, purpose: string, content: Uint8Array): Promise<Bytes> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", own(key), hmac, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, forPurpose(purpose, content)));
}

/** Return 32 bytes that are derived by HKDF-SHA256 (RFC 5869) without a salt. */
export async function derive(secret: Bytes, info: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 256));
}
