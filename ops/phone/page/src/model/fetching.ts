/** Asking the server for what belongs to models; a connection that is lost is told from a server that refuses. */

import { Cancelled, ModelError } from "../errors.ts";

/** The server could not be reached, or the connection was lost: worth another try. */
export class Unreachable extends ModelError {}

/**
 * Ask for an address. A server that is not ready yet is asked again when it says.
 *
 * @param what the thing asked for, in words.
 * @throws Unreachable; ModelError: the server has no such thing. Cancelled: `signal` was aborted.
 */
export async function ask(what: string, url: string, signal?: AbortSignal, from = 0): Promise<Response> {
  for (;;) {
    const response = await once(what, url, signal, from);
    if (response.ok) return response;
    await response.body?.cancel();
    if (response.status !== 503) throw refused(what, response.status);
    await pause(1000 * (Number(response.headers.get("Retry-After")) || 5), signal);
  }
}

/** Wait; @throws Cancelled `signal` was aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  refuseAborted(signal);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
  refuseAborted(signal);
}

/** @throws Cancelled `signal` was aborted. */
export function refuseAborted(signal?: AbortSignal): void {
  if (signal?.aborted) throw new Cancelled("Fetching the model was stopped. It goes on where it was at the next time.");
}

/** Return the error of a connection that was lost. */
export function lost(what: string, error: unknown, signal?: AbortSignal): ModelError | Cancelled {
  refuseAborted(signal);
  const says = `${what} could not be fetched: the connection was lost. Look at the network, then try again.`;
  return new Unreachable(says, { cause: error });
}

async function once(what: string, url: string, signal: AbortSignal | undefined, from: number): Promise<Response> {
  // The storage keeps it: the browser's cache would keep it a second time.
  const request: RequestInit = { cache: "no-store", ...(signal && { signal }) };
  if (from) request.headers = { Range: `bytes=${from}-` };
  try {
    return await fetch(url, request);
  } catch (error) {
    throw lost(what, error, signal);
  }
}

function refused(what: string, status: number): ModelError {
  const advice = status === 404 ? "The server does not have it for phones." : "Try again later.";
  return new ModelError(`${what} could not be fetched: the server answers ${status}. ${advice}`);
}
