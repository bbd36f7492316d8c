/** Downloading a file into the storage, piece by piece; one that was cut goes on where it was. */

import { ModelError } from "../errors.ts";
import { ask, lost, pause, Unreachable } from "./fetching.ts";
import type { ModelFile } from "./manifest.ts";
import { bytesOf, type Database, PIECE } from "./pieces.ts";
import { corrupt } from "./sound.ts";

/** Tries one after the other that bring nothing, and the pause after the first such; it doubles each time. */
const TRIES = 4;
const PAUSE = 500;

/** Told how many bytes of the file are here. */
type OnBytes = (bytes: number) => void;

/** A file, and where it comes from and goes. */
export interface Download {
  database: Database;
  model: string;
  file: ModelFile;
  url: string;
}

/**
 * Fetch what is missing of a file.
 *
 * @throws ModelError it cannot be fetched or kept. ModelCorrupt: there is more than there has to be. Cancelled.
 */
export async function download(wanted: Download, onBytes: OnBytes, signal?: AbortSignal): Promise<void> {
  const { database, file } = wanted;
  let tries = 0;
  for (let here = await bytesOf(database, file); here < file.size; ) {
    const error = await attempt(wanted, here, onBytes, signal);
    const before = here;
    here = await bytesOf(database, file);
    tries = here > before ? 0 : tries + 1;
    if (tries >= TRIES) throw error;
    if (tries) await pause(PAUSE * 2 ** (tries - 1), signal);
  }
}

/** Fetch until the end, or until the connection is lost, which is returned. */
async function attempt(
  wanted: Download,
  from: number,
  onBytes: OnBytes,
  signal?: AbortSignal,
): Promise<Unreachable> {
  const what = `The file ${wanted.file.path} of the model ${wanted.model}`;
  try {
    const response = await ask(what, wanted.url, signal, from);
    const begin = response.status === 206 ? from : 0; // not every server knows how to go on
    await keep(wanted, chunks(what, response, signal), begin, onBytes);
    return new Unreachable(`${what} ended too early.`);
  } catch (error) {
    if (error instanceof Unreachable) return error;
    throw error;
  }
}

async function keep(
  wanted: Download,
  stream: AsyncIterable<Uint8Array>,
  begin: number,
  onBytes: OnBytes,
): Promise<void> {
  const { file, model } = wanted;
  let at = begin;
  let piece = newPiece(file, at);
  for await (const chunk of stream) {
    for (let used = 0; used < chunk.length; ) {
      if (at >= file.size) throw corrupt(model, file, `has more than ${file.size} bytes`);
      const part = chunk.subarray(used, used + piece.length - (at % PIECE));
      piece.set(part, at % PIECE);
      [used, at] = [used + part.length, at + part.length];
      if (at % PIECE && at < file.size) continue;
      await put(wanted, piece, Math.ceil(at / PIECE) - 1);
      piece = newPiece(file, at);
    }
    onBytes(at);
  }
}

async function put({ database, file, model }: Download, piece: Uint8Array<ArrayBuffer>, number: number): Promise<void> {
  try {
    await database.put("pieces", piece, [file.sha256, number]);
  } catch (error) {
    if ((error as DOMException).name === "QuotaExceededError") throw noRoom(model, file.size - number * PIECE);
    throw new ModelError(`The browser could not keep the model ${model}: ${error}`, { cause: error });
  }
}

/** Return the error of a storage that is full. */
export function noRoom(model: string, missing: number): ModelError {
  return new ModelError(
    `There is no room for the model ${model}: ${Math.ceil(missing / 1e6)} MB more are needed than the browser may ` +
      "store. Make room on the phone, or remove other sites' data in the browser's settings; then try again.",
  );
}

async function* chunks(what: string, response: Response, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  try {
    for (;;) {
      const { value, done } = (await reader?.read().catch((error: unknown) => {
        throw lost(what, error, signal);
      })) ?? { done: true };
      if (done || !value) return;
      yield value;
    }
  } finally {
    await reader?.cancel().catch(() => {}); // it is broken already where that fails
  }
}

function newPiece(file: ModelFile, at: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Math.min(PIECE, Math.max(file.size - at, 0)));
}
