/** What the page needs of a browser, and what to do where it is missing. */

export type Need = "secure" | "keys" | "wasm" | "workers" | "storage";

export interface Lack {
  what: string;
  fix: string;
}

const UPDATE = "Update the browser: Chrome 137, Firefox 130, Safari of iOS 18, or newer.";
const LACKS: Readonly<Record<Need, Lack>> = {
  secure: {
    what: "This page was not opened over a safe connection.",
    fix: "Open it by its https:// address. Ask whoever invited you for that link.",
  },
  keys: {
    what: "This browser cannot make the keys by which the network knows a device (Ed25519, X25519).",
    fix: UPDATE,
  },
  wasm: {
    what: "This browser cannot run models (WebAssembly with SIMD).",
    fix: `${UPDATE} A lockdown mode also turns it off.`,
  },
  workers: { what: "This browser cannot work in the background of a page (workers).", fix: UPDATE },
  storage: {
    what: "This browser keeps nothing for this page, so the model would be lost.",
    fix: "Leave the private window, or allow this site to store data.",
  },
};

// The smallest module that uses SIMD: a vector made of one number.
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** Say what is missing, and what to do. Without a safe connection browsers hide the rest, so it is named alone. */
export function lacks(has: Readonly<Record<Need, boolean>>): Lack[] {
  if (!has.secure) return [LACKS.secure];
  return (Object.keys(LACKS) as Need[]).filter((need) => !has[need]).map((need) => LACKS[need]);
}

/** Look at what this browser has. */
export async function browserHas(): Promise<Record<Need, boolean>> {
  return {
    secure: window.isSecureContext,
    keys: window.isSecureContext && (await makesKeys()),
    wasm: typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(SIMD)),
    workers: typeof Worker === "function",
    storage: keepsData(),
  };
}

async function makesKeys(): Promise<boolean> {
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    await crypto.subtle.generateKey("X25519", false, ["deriveBits"]);
    return true;
  } catch (error) {
    // It cannot, unless it could and failed: one WebKit does in one of a hundred tries.
    return error instanceof DOMException && error.name === "OperationError";
  }
}

function keepsData(): boolean {
  try {
    return typeof indexedDB === "object" && indexedDB !== null && window.localStorage !== null;
  } catch {
    return false; // Looking is refused where storing is.
  }
}
