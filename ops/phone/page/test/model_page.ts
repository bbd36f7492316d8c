// The model part in a page of its own: tests in a browser, and the benchmark, call it by these names.
import type { IDBPObjectStore } from "idb";

import { BadInput, Cancelled, ModelCorrupt, ModelError } from "../src/errors.ts";
import { calibrate } from "../src/model/calibrate.ts";
import { openHost } from "../src/model/host.ts";
import { measure } from "../src/model/measure.ts";
import { using } from "../src/model/pieces.ts";
import { ModelStore } from "../src/model/store.ts";

const KINDS = { BadInput, Cancelled, ModelCorrupt, ModelError };

/** Wait, and say what went wrong; "" if nothing did. */
async function faultOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "";
  } catch (error) {
    const kind = Object.entries(KINDS).find(([, kind]) => error instanceof kind)?.[0];
    return `${kind ?? "Error"}: ${(error as Error).message}`;
  }
}

/** Return float32 rows as text, which is faster to read in another program than numbers are. */
function packed({ data }: { data: Float32Array }): string {
  return Array.from(new Uint8Array(data.buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Do something to the pieces of files, behind the store's back. */
async function inStorage<T>(
  mode: "readonly" | "readwrite",
  work: (pieces: IDBPObjectStore) => Promise<T>,
): Promise<T> {
  return using((database) =>
    work(database.transaction("pieces", mode).objectStore("pieces") as unknown as IDBPObjectStore),
  );
}

const store = new ModelStore();
Object.assign(globalThis, { ModelStore, openHost, measure, calibrate, faultOf, packed, inStorage, store });
