/** Opens what was sealed to the device's X25519 key (tasks/sealing.py): only it can. */

import { InvalidMessage } from "../errors.ts";
import { type Bytes, concat, own, utf8 } from "./bytes.ts";
import type { DeviceKeys } from "./keys.ts";
import { derive } from "./proof.ts";

const PROTOCOL = utf8("starai sealed v1 X25519 HKDF-SHA256 AES-256-GCM");
// Each key is made for one message, so its nonce need not differ.
const NONCE = new Uint8Array(12);
const KEY = 32;
const TAG = 16;

/**
 * Return what was sealed.
 *
 * @throws InvalidMessage it was changed, sealed to another key, or bound to other `bound`.
 */
export async function openSealed(keys: DeviceKeys, sealed: Uint8Array, bound: Uint8Array): Promise<Bytes> {
  const [ephemeral, ciphertext] = [own(sealed.slice(0, KEY)), own(sealed.slice(KEY))];
  if (ciphertext.length < TAG) throw new InvalidMessage("The sealed message is too short to be one.");
  try {
    const key = await agreedKey(keys, ephemeral);
    const how = { name: "AES-GCM", iv: NONCE, additionalData: own(bound) };
    return new Uint8Array(await crypto.subtle.decrypt(how, key, ciphertext));
  } catch (error) {
    const reason = "The sealed message cannot be opened: it was changed, or is not for this key.";
    throw new InvalidMessage(reason, { cause: error });
  }
}

async function agreedKey(keys: DeviceKeys, ephemeral: Bytes): Promise<CryptoKey> {
  const other = await crypto.subtle.importKey("raw", ephemeral, "X25519", false, []);
  const agreed = await crypto.subtle.deriveBits({ name: "X25519", public: other }, keys.sealing, 256);
  const raw = await derive(new Uint8Array(agreed), concat(PROTOCOL, ephemeral, keys.publicSealing));
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["decrypt"]);
}
