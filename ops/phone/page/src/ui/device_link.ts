/** The device, which is a worker of the page. */

import type { Ask, Status } from "../contract.ts";

export type AskDevice = (ask: Ask) => void;

/**
 * Start the device.
 *
 * @param tell what it says of itself, with every change.
 * @param failed why it is not to be had: it could not be loaded, or broke.
 */
export function startDevice(tell: (status: Status) => void, failed: (why: string) => void): AskDevice {
  const worker = new Worker("device.js", { type: "module" });
  worker.addEventListener("message", (event: MessageEvent<Status>) => tell(event.data));
  worker.addEventListener("messageerror", () => failed("The device said what the page cannot read"));
  worker.addEventListener("error", (event) => failed(failure(event)));
  return (ask) => worker.postMessage(ask);
}

function failure(event: ErrorEvent): string {
  // A worker that could not be fetched says nothing of why.
  return event.message || "Its program could not be loaded. Is there a network?";
}
