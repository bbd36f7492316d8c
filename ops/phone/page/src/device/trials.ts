/** Trying the models that a device is given when it joins: which run here, and how fast (worker/trials.py). */

import type { Calibration, Deployment, OnProgress } from "../contract.ts";
import { JoinRefused, ModelError } from "../errors.ts";
import { log } from "./log.ts";
import type { Tools } from "./tools.ts";

/** Told what happens now (`null`: nothing that takes long), and of the bytes of such a step. */
export type OnStep = (step: string | null, progress?: { done: number; total: number }) => void;

export type Trying = Pick<Tools, "shelf" | "openHost" | "calibrate">;

export class Trials {
  readonly #with: Trying;
  readonly #onStep: OnStep;
  readonly #stop: AbortSignal;
  readonly #run = new Set<string>();
  /** How fast the models that run here did, by name. */
  readonly calibrations: Record<string, Calibration> = {};
  /** Why the others could not be fetched or run, by name. */
  readonly unable = new Map<string, ModelError>();

  constructor(tools: Trying, onStep: OnStep, stop: AbortSignal) {
    this.#with = tools;
    this.#onStep = onStep;
    this.#stop = stop;
  }

  /** Tell whether a model was tried, with so many threads. */
  knows(deployment: Deployment): boolean {
    return this.#run.has(trialOf(deployment)) || this.unable.has(deployment.model);
  }

  /** Fetch and measure models, one after the other. */
  async run(untried: readonly Deployment[]): Promise<void> {
    for (const deployment of untried) {
      this.#stop.throwIfAborted();
      await this.#try(deployment);
    }
  }

  /** Return why the device may not join: where nothing is left to host, what the first model failed of. */
  reasonOf(refused: JoinRefused): Error {
    const [first] = this.unable.values();
    return refused.reason === "nothing-fits" && first ? first : refused;
  }

  async #try(deployment: Deployment): Promise<void> {
    const { model } = deployment;
    try {
      this.calibrations[model] = await this.#measured(deployment);
      this.#run.add(trialOf(deployment));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      this.unable.set(model, error);
      log.warn("model.left_out", { model, reason: error.message });
    }
  }

  async #measured({ model, threads }: Deployment): Promise<Calibration> {
    const onProgress: OnProgress = (progress) => this.#onStep(`fetching the model ${model}`, progress);
    this.#onStep(`fetching the model ${model}`);
    const stored = await this.#with.shelf.ensure(model, onProgress, this.#stop);
    this.#onStep(`trying the model ${model}`);
    const host = await this.#with.openHost(stored, threads ?? 1);
    try {
      return await this.#with.calibrate(host);
    } finally {
      host.close();
    }
  }
}

function trialOf({ model, threads }: Deployment): string {
  return `${model} ${threads}`;
}
