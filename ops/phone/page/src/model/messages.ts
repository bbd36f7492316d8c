/** What travels between a model's worker and who made it. */

import type { Measurement, Vectors } from "../contract.ts";
import { BadInput, Cancelled, ModelCorrupt, ModelError } from "../errors.ts";
import type { StoredModel } from "./store.ts";

/** What the worker is told. Each message but `cancel` is answered, by its `id`. */
export type Request =
  | { type: "load"; id: number; model: StoredModel; threads: number }
  | { type: "run"; id: number; texts: string[] }
  | { type: "benchmark"; id: number; threads: number }
  | { type: "cancel"; id: number };

/** Speeds with so many threads (models/measurement.py). */
export type Speed = Measurement["speeds"][number];

/** What the worker answers; `told` is a part of the benchmark, from 0 to 1. */
export type Answer =
  | { type: "done"; id: number; made: Vectors | Speed | null }
  | { type: "told"; id: number; part: number }
  | { type: "failed"; id: number; fault: Fault };

/** An error, as it travels; `isBroken`: the worker cannot be used any more. */
export interface Fault {
  kind: Kind;
  message: string;
  isBroken: boolean;
}

const KINDS = { BadInput, Cancelled, ModelCorrupt, ModelError };
type Kind = keyof typeof KINDS;

/** Return an error as it travels. */
export function faultOf(error: unknown): Fault {
  const message = error instanceof Error ? error.message : String(error);
  // The engine itself ended: whatever it is asked next, nobody knows what it does.
  if (error instanceof WebAssembly.RuntimeError) {
    return { kind: "ModelError", message: `The model broke while it ran: ${message}`, isBroken: true };
  }
  return { kind: kindOf(error), message, isBroken: false };
}

/** Return the error again. */
export function errorOf({ kind, message }: Fault): Error {
  return new KINDS[kind](message);
}

function kindOf(error: unknown): Kind {
  if (error instanceof BadInput) return "BadInput";
  if (error instanceof Cancelled) return "Cancelled";
  return error instanceof ModelCorrupt ? "ModelCorrupt" : "ModelError";
}
