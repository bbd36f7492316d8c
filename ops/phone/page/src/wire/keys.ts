/** The device's own keys, which never leave the browser. */

import { StarAIError } from "../errors.ts";
import type { Bytes } from "./bytes.ts";

// WebKitGTK 2.50 fails now and then to make a key, and makes the next one.
const TRIES = 5;

/**
 * A device's keys. The private ones cannot be read out, by nobody; a database of the browser keeps them as they are.
 *
 * signing, publicSigning: Ed25519, for what it says. sealing, publicSealing: X25519, for what it alone is to read.
 */
export interface DeviceKeys {
  signing: CryptoKey;
  sealing: CryptoKey;
  publicSigning: Bytes;
  publicSealing: Bytes;
}

/**
 * Make keys that nobody else has.
 *
 * @throws StarAIError this browser cannot; the message says what can.
 */
export async function makeKeys(): Promise<DeviceKeys> {
  if (!globalThis.crypto?.subtle) {
    throw new StarAIError("The page is not protected, so that it may make no keys: open it by its https address.");
  }
  const signing = await makePair("Ed25519", ["sign", "verify"]);
  const sealing = await makePair("X25519", ["deriveBits"]);
  return {
    signing: signing.privateKey,
    sealing: sealing.privateKey,
    publicSigning: await publicBytes(signing),
    publicSealing: await publicBytes(sealing),
  };
}

async function makePair(name: string, uses: KeyUsage[], triesLeft = TRIES - 1): Promise<CryptoKeyPair> {
  try {
    return (await crypto.subtle.generateKey({ name }, false, uses)) as CryptoKeyPair;
  } catch (error) {
    if (triesLeft > 0 && isPassing(error)) return makePair(name, uses, triesLeft - 1);
    throw new StarAIError(
      `This browser cannot make ${name} keys. Update it: Chrome from 137, Safari from 18 and Firefox from 130 on can.`,
      { cause: error },
    );
  }
}

function isPassing(error: unknown): boolean {
  return error instanceof DOMException && error.name === "OperationError";
}

async function publicBytes(pair: CryptoKeyPair): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
}
