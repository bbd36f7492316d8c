/** This phone as a device: what its page asks of it, one thing after the other, and what it shows. */

import type { Ask, ModelStatus, Preferences, Surroundings } from "../contract.ts";
import { Cancelled, StarAIError } from "../errors.ts";
import { type DeviceKeys, makeKeys } from "../wire/keys.ts";
import type { Verdict } from "./attempt.ts";
import { Board } from "./board.ts";
import { doingOf, type Facts } from "./doing.ts";
import { join } from "./join.ts";
import { type Kept, nothingKept } from "./kept.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";
import { Serving } from "./serving.ts";
import type { Tools } from "./tools.ts";
import type { OnStep } from "./trials.ts";

// Milliseconds after which what was counted is written down.
const COUNTED = 3_000;
const OFF: Facts = {
  on: false,
  isReady: false,
  refused: null,
  paused: null,
  resting: null,
  isConnected: false,
  running: 0,
};

export class Phone {
  readonly #tools: Tools;
  readonly #board: Board;
  #kept: Kept = nothingKept();
  #surroundings: Surroundings | null = null;
  #serving: Serving | null = null;
  #joining: AbortController | null = null;
  #models: ModelStatus[] = [];
  // What was asked last; the next thing waits for its end.
  #line: Promise<void> = Promise.resolve();
  #counting: ReturnType<typeof setTimeout> | null = null;

  constructor(tools: Tools) {
    this.#tools = tools;
    this.#board = new Board(tools.post);
  }

  /** Go on as the device that this browser was at the last visit; if it was on, serve again. */
  begin(): Promise<void> {
    return this.#then(async () => {
      this.#kept = await this.#tools.storage.load();
      this.#showKept();
      await this.#lookAtModels();
      if (this.#kept.on) this.#serve();
    });
  }

  /** Do what the page asks; resolves when it is done, whatever comes of it. */
  take(ask: Ask): Promise<void> {
    switch (ask.type) {
      case "surroundings":
        return this.#surround(ask.surroundings);
      case "preferences":
        return this.#then(() => this.#prefer(ask.preferences));
      case "join":
        this.#joining?.abort(new Cancelled("Another link was opened."));
        return this.#then(() => this.#join(ask.token, ask.name));
      case "switch":
        return this.#then(() => this.#switch(ask.on));
      case "removeModels":
        return this.#then(() => this.#removeModels());
      case "leave":
        this.#joining?.abort(new Cancelled("The phone leaves."));
        return this.#then(() => this.#leave());
    }
  }

  async #surround(surroundings: Surroundings): Promise<void> {
    const before = this.#surroundings;
    this.#surroundings = surroundings;
    if (before && isBack(before, surroundings)) this.#serving?.hurry();
    this.#serving?.look();
  }

  async #prefer(preferences: Preferences): Promise<void> {
    const isOther = preferences.threads !== this.#kept.preferences.threads;
    await this.#keep({ preferences });
    if (!isOther || !this.#serving) return this.#serving?.prefer();
    await this.#stop(); // models are loaded with so many threads
    this.#serve();
  }

  async #join(token: string, name: string): Promise<void> {
    await this.#stop();
    this.#joining = new AbortController();
    this.#board.show({ phase: "joining", error: null });
    try {
      const keys = await this.#keys();
      const asking = { token, name, keys, preferences: this.#kept.preferences, onStep: this.#onStep };
      const joined = await join({ ...asking, stop: this.#joining.signal }, this.#tools);
      await this.#keep(joined); // to serve is another decision of its owner's
    } finally {
      this.#joining = null;
      this.#onStep(null);
      await this.#lookAtModels();
      this.#showKept();
      if (this.#kept.on) this.#serve(); // as before, where it could not join anew
    }
  }

  async #switch(on: boolean): Promise<void> {
    if (!this.#kept.enrolment) return;
    this.#board.show({ error: null });
    await this.#keep({ on });
    if (!on) return this.#stop();
    if (!this.#serving) this.#serve();
  }

  async #removeModels(): Promise<void> {
    await this.#keep({ on: false });
    await this.#stop();
    await this.#tools.shelf.removeAll();
    await this.#lookAtModels();
  }

  async #leave(): Promise<void> {
    await this.#removeModels();
    await this.#tools.storage.forget();
    this.#kept = await this.#tools.storage.load();
    this.#models = [];
    this.#board.show({ standing: null, lastTaskMs: null });
    this.#showKept();
    log.info("device.forgotten");
  }

  #serve(): void {
    const { enrolment, keys, calibrations } = this.#kept;
    if (!enrolment || !keys) return;
    this.#serving = new Serving({
      enrolment,
      keys,
      calibrations,
      tools: this.#tools,
      preferences: () => this.#kept.preferences,
      surroundings: () => this.#surroundings,
      onStep: this.#onStep,
      onEnded: (verdict, ms) => this.#count(verdict, ms),
      onStanding: (standing) => this.#board.show({ standing }),
      onChanged: () => this.#showFacts(),
    });
    this.#serving.begin();
    this.#showFacts();
  }

  async #stop(): Promise<void> {
    await this.#serving?.end();
    this.#serving = null;
    this.#onStep(null);
    await this.#lookAtModels();
    this.#showKept();
  }

  /** Return this device's keys, made if there are none. */
  async #keys(): Promise<DeviceKeys> {
    const keys = this.#kept.keys ?? (await makeKeys());
    await this.#keep({ keys });
    return keys;
  }

  readonly #onStep: OnStep = (step, progress) => {
    this.#board.show({ step, progress: progress ?? null });
    if (step === null) void this.#lookAtModels();
  };

  #count(verdict: Verdict, ms: number): void {
    if (verdict === "acknowledge") this.#kept.done += 1;
    else this.#kept.failed += 1;
    const { done, failed } = this.#kept;
    this.#board.show({ done, failed, lastTaskMs: Math.round(ms) });
    this.#counting ??= setTimeout(() => void this.#keepCounts(), COUNTED);
  }

  async #keepCounts(): Promise<void> {
    this.#counting = null;
    const { done, failed } = this.#kept;
    await this.#tools.storage.save({ done, failed }).catch((error: unknown) => this.#err(error));
  }

  async #keep(part: Partial<Kept>): Promise<void> {
    this.#kept = { ...this.#kept, ...part };
    await this.#tools.storage.save(part);
    this.#showKept();
  }

  /** Do this when all that was asked before is done; what goes wrong is shown. */
  #then(work: () => Promise<void>): Promise<void> {
    this.#line = this.#line.then(work).catch((error: unknown) => this.#err(error));
    return this.#line;
  }

  #err(error: unknown): void {
    if (error instanceof Cancelled) return;
    if (error instanceof StarAIError) log.warn("device.hindered", { reason: reasonOf(error) });
    else log.error("device.crashed", { reason: reasonOf(error) });
    this.#board.show({ error: reasonOf(error) });
  }

  async #lookAtModels(): Promise<void> {
    const kept = await this.#tools.shelf.list();
    this.#models = kept.map(({ name, bytes, stored }) => ({ name, bytes, stored, fault: null }));
    this.#showFacts();
  }

  #showKept(): void {
    const { enrolment, preferences, on, done, failed } = this.#kept;
    const phase = this.#joining ? "joining" : enrolment ? "joined" : "new";
    const [device, region] = [enrolment?.device ?? null, enrolment?.region ?? null];
    this.#board.show({ phase, device, region, on, preferences, done, failed });
    this.#showFacts();
  }

  #showFacts(): void {
    const { doing, why } = doingOf(this.#serving?.facts ?? OFF);
    this.#board.show({ doing, why, models: this.#models.map((model) => this.#withFault(model)) });
  }

  #withFault(model: ModelStatus): ModelStatus {
    const lane = this.#serving?.lanes.find((one) => one.model === model.name);
    return { ...model, fault: lane?.recovery.reason ?? null };
  }
}

/** Whether the phone may reach the network again, which it could not, or not well. */
function isBack(before: Surroundings, now: Surroundings): boolean {
  return (now.online && !before.online) || (now.hiddenSince === null && before.hiddenSince !== null);
}
