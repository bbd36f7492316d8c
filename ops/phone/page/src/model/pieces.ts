/** Files in the browser's storage (IndexedDB), each in pieces: a file that comes in part is gone on with. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";

import { ModelError } from "../errors.ts";
import type { Manifest, ModelFile } from "./manifest.ts";

/** Bytes of a piece; a file's last one is shorter. */
export const PIECE = 2 ** 20;

interface Schema extends DBSchema {
  /** By the file's SHA-256 and the piece's number. */
  pieces: { key: [string, number]; value: Uint8Array<ArrayBuffer> };
  /** Whole files, their content verified. */
  sound: { key: string; value: true };
  models: { key: string; value: Manifest };
}

export type Database = IDBPDatabase<Schema>;

/**
 * Open the storage of models for as long as it is used: a browser may close it meanwhile.
 *
 * @throws ModelError the browser has no storage for this page; and what the work throws.
 */
export async function using<T>(work: (database: Database) => Promise<T>): Promise<T> {
  const database = await openPieces();
  try {
    return await work(database);
  } finally {
    database.close();
  }
}

async function openPieces(): Promise<Database> {
  try {
    return await openDB<Schema>("starai-models", 1, { upgrade: create });
  } catch (error) {
    const says = `The browser stores nothing for this page: ${error}. Leave its private mode, then try again.`;
    throw new ModelError(says, { cause: error });
  }
}

function create(database: Database): void {
  database.createObjectStore("pieces");
  database.createObjectStore("sound");
  database.createObjectStore("models");
}

/** Return how many bytes of a file are here, from its beginning to the first piece that is not. */
export async function bytesOf(database: Database, file: ModelFile): Promise<number> {
  const keys = await database.getAllKeys("pieces", range(file.sha256));
  const missing = keys.findIndex(([, number], place) => number !== place);
  return Math.min((missing < 0 ? keys.length : missing) * PIECE, file.size);
}

/** Return a file's bytes, those that are here at their places; `null` where a piece is missing or of another size. */
export async function readFile(database: Database, file: ModelFile): Promise<Uint8Array<ArrayBuffer> | null> {
  const content = new Uint8Array(file.size);
  for (let number = 0; number * PIECE < file.size; number++) {
    const piece = await database.get("pieces", [file.sha256, number]);
    if (piece?.length !== Math.min(PIECE, file.size - number * PIECE)) return null;
    content.set(piece, number * PIECE);
  }
  return content;
}

/** Remove a file. */
export async function dropFile(database: Database, sha256: string): Promise<void> {
  const change = database.transaction(["pieces", "sound"], "readwrite");
  await change.objectStore("sound").delete(sha256);
  await change.objectStore("pieces").delete(range(sha256));
  await change.done;
}

function range(sha256: string): IDBKeyRange {
  return IDBKeyRange.bound([sha256, 0], [sha256, Infinity]);
}
