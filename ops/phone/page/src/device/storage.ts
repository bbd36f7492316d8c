/** What the device keeps, in the browser's IndexedDB: keys as they are, which no script can read out. */

import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { StarAIError } from "../errors.ts";
import { type Kept, nothingKept, type Storage } from "./kept.ts";

const NAME = "starai-device";
const PARTS = "parts";

interface Schema extends DBSchema {
  parts: { key: string; value: unknown };
}

/**
 * Open the storage.
 *
 * @throws StarAIError the browser keeps nothing, as in some private windows.
 */
export async function openStorage(): Promise<Storage> {
  try {
    const upgrade = (database: IDBPDatabase<Schema>): void => void database.createObjectStore(PARTS);
    return new BrowserStorage(await openDB<Schema>(NAME, 1, { upgrade }));
  } catch (error) {
    throw new StarAIError(
      "This browser does not let the page keep anything. Open it in a window that is not private.",
      { cause: error },
    );
  }
}

class BrowserStorage implements Storage {
  readonly #database: IDBPDatabase<Schema>;

  constructor(database: IDBPDatabase<Schema>) {
    this.#database = database;
  }

  async load(): Promise<Kept> {
    const [names, values] = await Promise.all([this.#database.getAllKeys(PARTS), this.#database.getAll(PARTS)]);
    const kept: Kept = { ...nothingKept(), ...Object.fromEntries(names.map((name, at) => [name, values[at]])) };
    return { ...kept, preferences: { ...nothingKept().preferences, ...kept.preferences } };
  }

  async save(part: Partial<Kept>): Promise<void> {
    const writing = this.#database.transaction(PARTS, "readwrite");
    for (const [name, value] of Object.entries(part)) void writing.store.put(value, name);
    await writing.done;
  }

  async forget(): Promise<void> {
    const { preferences: _, ...forgotten } = nothingKept();
    await this.save(forgotten);
  }
}
