/** Whether a file is what the manifest says it is: each is read whole, each time that a model is loaded. */

import { ModelCorrupt } from "../errors.ts";
import type { ModelFile } from "./manifest.ts";
import { bytesOf, type Database, dropFile, readFile } from "./pieces.ts";

/**
 * Return a file's content, verified.
 *
 * @throws ModelCorrupt it is missing or altered. It was removed, so that it is fetched anew.
 */
export async function soundFile(database: Database, model: string, file: ModelFile): Promise<Uint8Array<ArrayBuffer>> {
  const content = await readFile(database, file);
  const fault = content ? await faultOf(content, file) : "is not whole";
  if (content && !fault) return content;
  await dropFile(database, file.sha256);
  throw corrupt(model, file, fault ?? "");
}

/** Tell whether a file was whole and sound when it came. */
export async function isSound(database: Database, file: ModelFile): Promise<boolean> {
  return Boolean(await database.get("sound", file.sha256)) && (await bytesOf(database, file)) === file.size;
}

/** Return the error of a file that is not what it has to be. */
export function corrupt(model: string, { path }: ModelFile, fault: string): ModelCorrupt {
  return new ModelCorrupt(
    `The model ${model} is not what it has to be: its file ${path} ${fault}. It was removed, and is fetched anew at ` +
      "the next try. If it happens again, the server or what is between has another file than it says.",
  );
}

async function faultOf(content: Uint8Array<ArrayBuffer>, { sha256 }: ModelFile): Promise<string | null> {
  const digest = hex(await crypto.subtle.digest("SHA-256", content));
  return digest === sha256 ? null : `has the SHA-256 ${digest} instead of ${sha256}`;
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
