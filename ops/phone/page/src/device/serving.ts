/** The device at work: from the moment that its owner lets it, until it has taken its leave. */

import type { Calibration, Deployment, Enrolment, Host, Preferences, Standing, Surroundings } from "../contract.ts";
import type { DeviceKeys } from "../wire/keys.ts";
import type { Order } from "../wire/order.ts";
import { Attempts } from "./attempts.ts";
import type { Verdict } from "./attempt.ts";
import { Control } from "./control.ts";
import type { Facts } from "./doing.ts";
import { Lane } from "./lane.ts";
import { log } from "./log.ts";
import { Pauser } from "./pauser.ts";
import { Prober } from "./prober.ts";
import { takeReadings } from "./readings.ts";
import { Saying } from "./saying.ts";
import { sleep } from "./sleep.ts";
import { steady } from "./steady.ts";
import type { Tools } from "./tools.ts";
import type { OnStep } from "./trials.ts";
import { refusedWords, restingWords } from "./words.ts";
import { Work } from "./work.ts";

/** Seconds that running tasks get to end after the owner has switched the device off. */
export const GRACE = 30;
/** Seconds for the network to take the goodbye. */
export const GOODBYE_WITHIN = 2;
/** Seconds after an order to rest within which the broker makes it true; then the device finds out by asking. */
export const RESTED = 10;

// Milliseconds between two looks at what is due, when nothing happens.
const TICK = 250;

export interface ServingOf {
  enrolment: Enrolment;
  keys: DeviceKeys;
  calibrations: Record<string, Calibration>;
  tools: Pick<Tools, "shelf" | "openHost">;
  preferences: () => Preferences;
  surroundings: () => Surroundings | null;
  onStep: OnStep;
  onEnded: (verdict: Verdict, ms: number) => void;
  onStanding: (standing: Standing) => void;
  /** Told whenever `facts` or the models' faults may be others. */
  onChanged: () => void;
}

export class Serving {
  readonly #of: ServingOf;
  readonly #stopped = new AbortController();
  readonly #control: Control;
  readonly #prober: Prober;
  readonly #pauser: Pauser;
  readonly #work: Work;
  readonly lanes: readonly Lane[];
  #restsUntil = 0;
  #isLeaving = false;
  #standing: Standing | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(of: ServingOf) {
    this.#of = of;
    const { device, deployments } = of.enrolment;
    this.#control = this.#newControl();
    this.lanes = deployments.map((deployment) => this.#newLane(deployment));
    this.#pauser = new Pauser({ preferences: of.preferences, surroundings: of.surroundings, lanes: this.lanes });
    this.#work = this.#newWork();
    this.#prober = new Prober({ device, keys: of.keys, link: this.#control.link, take: () => this.#readings() });
  }

  /** Connect, load the models, and take tasks. */
  begin(): void {
    log.info("device.begins", { device: this.#of.enrolment.device });
    this.#control.link.open();
    this.#timer = setInterval(() => this.#move(), TICK);
    for (const lane of this.lanes) void lane.begin();
  }

  /** What is known, for what is shown. */
  get facts(): Facts {
    const { refused, link } = this.#control;
    const resting = this.#isResting ? restingWords(this.#standing) : null;
    return {
      on: true,
      isReady: this.lanes.some((lane) => lane.hasBegun),
      refused: refused === null ? null : refusedWords(this.#standing),
      paused: this.#pauser.why ?? this.#failed(),
      resting,
      isConnected: link.isConnected && (resting !== null || this.#work.home.isUp),
      running: this.#work.running,
    };
  }

  /** What surrounds the device has changed. */
  look(): void {
    this.#move();
  }

  /** Its owner prefers something else. */
  prefer(): void {
    this.#pauser.begin();
    this.#move();
  }

  /** The network may be back: try it at once. */
  hurry(): void {
    this.#control.link.hurry();
    this.#work.retry();
  }

  /** Take nothing new, let what runs end, say goodbye, hand back the rest, and disconnect. */
  async end(): Promise<void> {
    this.#isLeaving = true;
    for (const lane of this.lanes) lane.recovery.stop();
    this.#stopped.abort();
    this.#move();
    const until = steady() + GRACE;
    while (this.#work.running > 0 && steady() < until) await sleep(TICK / 1000);
    const left = this.#work.running;
    const told = this.#control.link.isConnected && (await this.#control.greeting.goodbye(left, GOODBYE_WITHIN));
    log.info("device.left", { left, told });
    await this.#close();
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work.close();
    await this.#control.close(1000 * GOODBYE_WITHIN);
    // Only now: what runs still is another device's, and nothing is said of it.
    for (const lane of this.lanes) lane.close();
  }

  get #isResting(): boolean {
    return steady() < this.#restsUntil || this.#work.home.refused === "permission";
  }

  /** Why no model takes tasks, where all of them have failed. */
  #failed(): string | null {
    if (!this.lanes.every((lane) => lane.recovery.isUnderWay)) return null;
    const [first] = this.lanes.flatMap(({ recovery: { reason } }) => (reason === null ? [] : [reason]));
    return `its model failed, and is made ready again${first === undefined ? "" : `: ${first}`}`;
  }

  #move(): void {
    const isKnown = this.#pauser.look(steady(), Date.now());
    const isClosed = this.#isLeaving || !isKnown || this.#pauser.why !== null || steady() < this.#restsUntil;
    this.#work.move(isClosed);
    this.#of.onChanged();
  }

  #obey(order: Order): void {
    if (order.duty === "rest") this.#restsUntil = steady() + RESTED;
    if (order.duty === "serve") {
      this.#restsUntil = 0;
      this.#work.retry();
    }
    if (order.probe) this.#prober.ask(order.probe);
    this.#move();
  }

  #stand(standing: Standing): void {
    this.#standing = standing;
    this.#of.onStanding(standing);
    this.#of.onChanged();
  }

  #readings(): ReturnType<typeof takeReadings> {
    const { home, away } = this.#work;
    return takeReadings({ lanes: this.lanes, lines: [home, away], paused: this.#pauser.why });
  }

  async #open({ model, threads }: Deployment): Promise<Host> {
    const { tools, onStep, preferences } = this.#of;
    const step = `fetching the model ${model}`;
    try {
      const stored = await tools.shelf.ensure(model, (progress) => onStep(step, progress), this.#stopped.signal);
      onStep(`loading the model ${model}`);
      return await tools.openHost(stored, preferences().threads ?? threads ?? 1);
    } finally {
      onStep(null);
    }
  }

  #newControl(): Control {
    const { device, broker } = this.#of.enrolment;
    return new Control(device, broker, {
      onOrder: (order) => this.#obey(order),
      onStanding: (standing) => this.#stand(standing),
      onChanged: () => this.#move(),
    });
  }

  #newLane(deployment: Deployment): Lane {
    const calibration = this.#of.calibrations[deployment.model] ?? null;
    return new Lane({ deployment, calibration, open: () => this.#open(deployment), changed: () => this.#move() });
  }

  #newWork(): Work {
    const { device, region, broker } = this.#of.enrolment;
    const { cancellations, clock, greeting, link } = this.#control;
    const attempts = new Attempts((key, body, withinMs) => this.#control.ask(key, body, withinMs));
    return new Work({
      login: broker,
      region,
      lanes: this.lanes,
      making: { attempts, cancellations, clock, saying: new Saying(link, { device, region }) },
      told: () => this.#control.told(),
      isSound: () => greeting.sound,
      onEnded: this.#of.onEnded,
      onChanged: () => this.#move(),
    });
  }
}
