/** What a model consists of, as the server that gives it says: `GET /phone/models/<name>`. */

import { ModelError } from "../errors.ts";

/** A file of a model, and what it has to be. */
export interface ModelFile {
  path: string;
  size: number;
  sha256: string;
}

/** A model that embeds; `graph` is its ONNX graph, whose weights lie in one of the `files`. */
export interface Manifest {
  name: string;
  kind: "embed";
  longest: number;
  graph: ModelFile;
  files: ModelFile[];
}

/**
 * Read a manifest as it came.
 *
 * @throws ModelError it is none, or another model's.
 */
export function readManifest(name: string, json: unknown): Manifest {
  if (!isObject(json) || json["name"] !== name || json["kind"] !== "embed" || !isCount(json["longest"])) {
    throw unreadable(name);
  }
  const files = Array.isArray(json["files"]) ? json["files"] : [];
  const graph = file(name, json["graph"]);
  return { name, kind: "embed", longest: json["longest"], graph, files: files.map((one) => file(name, one)) };
}

/** Return all files of a model, its graph first. */
export function filesOf(manifest: Manifest): ModelFile[] {
  return [manifest.graph, ...manifest.files];
}

/** Return how many bytes a model takes. */
export function sizeOf(manifest: Manifest): number {
  return filesOf(manifest).reduce((sum, { size }) => sum + size, 0);
}

/**
 * Return the file of a model with that name, whatever folder it is in.
 *
 * @throws ModelError it has none.
 */
export function fileNamed(manifest: Manifest, name: string): ModelFile {
  const found = manifest.files.find(({ path }) => path.split("/").at(-1) === name);
  if (found) return found;
  throw new ModelError(`The model ${manifest.name} has no file ${name}, without which it does not run here.`);
}

function file(model: string, json: unknown): ModelFile {
  if (!isObject(json)) throw unreadable(model);
  const { path, size, sha256 } = json;
  if (typeof path !== "string" || !isCount(size) || typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw unreadable(model);
  }
  return { path, size, sha256 };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function unreadable(model: string): ModelError {
  return new ModelError(`What the server says of the model ${model} is not readable here. Load this page anew.`);
}
