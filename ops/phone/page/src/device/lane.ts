/** A model that this device hosts: its host, how it fares, and its one slot. */

import type { Calibration, Deployment, Host, Vectors } from "../contract.ts";
import { BadInput, Cancelled, ModelError } from "../errors.ts";
import type { Workable } from "./attempt.ts";
import type { Delivery } from "./delivery.ts";
import { LoadMeter } from "./load.ts";
import { expectedSeconds, Pace } from "./pace.ts";
import { Recovery } from "./recovery.ts";
import { sleep } from "./sleep.ts";
import { steady } from "./steady.ts";

/** How a lane comes to its host. `calibration`: how fast the model ran when the device joined, where that is known. */
export interface LaneOf {
  deployment: Deployment;
  calibration: Calibration | null;
  open: () => Promise<Host>;
  changed: () => void;
}

export class Lane implements Workable {
  readonly deployment: Deployment;
  readonly recovery: Recovery;
  readonly pace = new Pace();
  readonly meter = new LoadMeter();
  /** The task that runs, and those that wait for it to end: one from home and one from abroad at most. */
  running: Delivery | null = null;
  held: Delivery[] = [];
  readonly #of: LaneOf;
  #host: Host | null = null;
  #hasBegun = false;
  #isClosed = false;

  constructor(of: LaneOf) {
    this.#of = of;
    this.deployment = of.deployment;
    const [mend, changed] = [(): Promise<void> => this.#load(), of.changed];
    this.recovery = new Recovery({ model: this.model, mend, changed, sleep });
  }

  get model(): string {
    return this.deployment.model;
  }

  /** Whether the model is loaded, and has not failed lately. */
  get isReady(): boolean {
    return this.#host !== null && !this.recovery.isUnderWay;
  }

  /** Whether the model was loaded once, or could not be. */
  get hasBegun(): boolean {
    return this.#hasBegun || this.recovery.reason !== null;
  }

  /** Load the model; where it cannot be, it is tried again later, and `recovery` says why. */
  async begin(): Promise<void> {
    await this.recovery.begin();
  }

  async run(texts: string[], lease: number, stop: AbortSignal): Promise<Vectors> {
    const began = steady();
    try {
      const vectors = await this.#inTime(texts, lease, stop);
      this.#note(texts, began);
      return vectors;
    } catch (error) {
      if (!(error instanceof BadInput) && !(error instanceof Cancelled)) this.#fail();
      throw error;
    }
  }

  /** End the model for good. */
  close(): void {
    this.#isClosed = true;
    this.recovery.stop();
    this.#end();
  }

  async #load(): Promise<void> {
    this.#end();
    const host = await this.#of.open();
    if (this.#isClosed) return host.close();
    [this.#host, this.#hasBegun] = [host, true];
  }

  async #inTime(texts: string[], lease: number, stop: AbortSignal): Promise<Vectors> {
    if (this.#host === null) throw new ModelError(`The model ${this.model} is not loaded.`);
    const over = new AbortController();
    const late = sleep(lease, over.signal).then((): Vectors => {
      throw new ModelError(`The model did not end within ${lease} s, and was ended.`);
    });
    try {
      return await Promise.race([this.#host.run(texts, stop), late]);
    } finally {
      late.catch(() => undefined);
      over.abort();
    }
  }

  #note(texts: string[], began: number): void {
    this.recovery.succeeded();
    const { calibration } = this.#of;
    if (calibration) this.pace.took(steady() - began, expectedSeconds(texts, calibration), steady());
  }

  #fail(): void {
    this.#end();
    this.recovery.failed();
  }

  #end(): void {
    this.#host?.close();
    this.#host = null;
  }
}
