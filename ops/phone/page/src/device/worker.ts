/** The entry of the device's worker: the page posts what it asks, and is posted the status. */

import type { Ask, Status } from "../contract.ts";
import { calibrate } from "../model/calibrate.ts";
import { openHost } from "../model/host.ts";
import { measure } from "../model/measure.ts";
import { ModelStore } from "../model/store.ts";
import { alone, WAITS } from "./alone.ts";
import { FIRST_STATUS } from "./board.ts";
import { log } from "./log.ts";
import { Phone } from "./phone.ts";
import { reasonOf } from "./reason.ts";
import { openStorage } from "./storage.ts";

const post = (status: Status): void => self.postMessage(status);

// What the page asked before the device was there.
let early: Ask[] = [];
let isWaiting = false;
let phone: Phone | null = null;

self.onmessage = ({ data }: MessageEvent<Ask>): void => {
  if (phone) void phone.take(data);
  else if (isWaiting && data.type !== "surroundings") sayWaiting();
  else early.push(data);
};

function sayWaiting(): void {
  post({ ...FIRST_STATUS, error: WAITS });
}

/** Another tab is the device: what this one's owner asks is not to be done some time later. */
function wait(): void {
  isWaiting = true;
  early = early.filter(({ type }) => type === "surroundings");
  sayWaiting();
}

async function begin(): Promise<void> {
  await alone(navigator.locks, wait);
  const storage = await openStorage();
  const begun = new Phone({ storage, shelf: new ModelStore(), openHost, measure, calibrate, post });
  const ready = begun.begin();
  phone = begun;
  for (const ask of early) void phone.take(ask);
  await ready;
}

begin().catch((error: unknown) => {
  log.error("device.crashed", { reason: reasonOf(error) });
  post({ ...FIRST_STATUS, error: reasonOf(error) });
});
