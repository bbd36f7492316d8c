/** The device's tasks: which queues it hears, which of the tasks that come run, and what becomes of the others. */

import type { Message } from "../broker/link.ts";
import type { BrokerLogin, Region } from "../contract.ts";
import { BrokerRefused, BrokerUnreachable } from "../errors.ts";
import { taskQueue } from "../wire/names.ts";
import { junkReport } from "../wire/report.ts";
import { JunkError, readTask, type Task } from "../wire/task.ts";
import { Abroad } from "./abroad.ts";
import { attempt, type Making, type Verdict } from "./attempt.ts";
import type { Delivery, Place } from "./delivery.ts";
import type { Lane } from "./lane.ts";
import { Line } from "./line.ts";
import { log } from "./log.ts";
import { priority } from "./priority.ts";
import { steady, unixTime } from "./steady.ts";

/** Seconds for which a task that came while another runs may wait for that to end. */
export const HOLD = 0.5;

export interface WorkOf {
  login: BrokerLogin;
  region: Region;
  lanes: readonly Lane[];
  making: Making;
  /** Resolves once it is known which tasks were cancelled. */
  told: () => Promise<void>;
  isSound: () => boolean;
  /** Told of each task that ended here, with the milliseconds that it took. */
  onEnded: (verdict: Verdict, ms: number) => void;
  onChanged: () => void;
}

export class Work {
  readonly #of: WorkOf;
  readonly #abroad: Abroad;
  readonly home: Line;
  readonly away: Line;
  #isClosed = true;

  constructor(of: WorkOf) {
    this.#of = of;
    this.#abroad = new Abroad(of.region, of.lanes.length);
    this.home = this.#line("home");
    this.away = this.#line("abroad");
  }

  /** How many tasks run. */
  get running(): number {
    return this.#of.lanes.filter((lane) => lane.running !== null).length;
  }

  /** Do what is due at this moment; `isClosed`: no task is begun, and none is asked for. */
  move(isClosed: boolean): void {
    this.#isClosed = isClosed;
    const now = steady();
    for (const lane of this.#of.lanes) this.#moveLane(lane, now);
    this.home.want(isClosed ? null : this.#placesAtHome());
    const region = this.#abroad.look(this.#isIdle(isClosed), this.away.hasTask, now);
    this.away.want(isClosed ? null : this.#placesIn(region));
  }

  /** Try again at once what was refused, or could not be reached. */
  retry(): void {
    this.home.retry();
    this.away.retry();
  }

  /** Disconnect at once; what still runs is another device's from then on. */
  async close(): Promise<void> {
    await Promise.all([this.home.close(), this.away.close()]);
  }

  #line(name: string): Line {
    const { login, told, onChanged } = this.#of;
    const onMessage = (line: Line, place: Place, message: Message): void => this.#arrive(line, place, message);
    return new Line({ name, login, ready: told, onMessage, onChanged });
  }

  #moveLane(lane: Lane, now: number): void {
    lane.held = lane.held.filter((delivery) => !delivery.isLost);
    const [next] = lane.held;
    if (next && lane.running === null && lane.isReady && !this.#isClosed) {
      lane.held.shift();
      void this.#run(lane, next);
    }
    for (const { line, arrived } of lane.held) if (now - arrived >= HOLD) line.drop();
    lane.meter.sample(lane.pace.load(now), now);
  }

  #isIdle(isClosed: boolean): boolean {
    return !isClosed && this.home.isUp && !this.home.hasTask && this.running === 0;
  }

  /** A model that serves abroad is heard on at home, but its queue is not opened for it: there is no room. */
  #placesAtHome(): Place[] {
    const { lanes, region } = this.#of;
    const ready = lanes.filter((lane) => lane.isReady);
    return ready
      .filter((lane) => this.home.hears(lane.model) || lane.running === null)
      .map((lane) => this.#place(lane, region));
  }

  #placesIn(region: Region | null): Place[] {
    if (region === null) return [];
    return this.#of.lanes.filter((lane) => lane.isReady).map((lane) => this.#place(lane, region));
  }

  #place({ model, deployment, meter }: Lane, queue: Region): Place {
    const choice = { home: this.#of.region, queue, load: meter.step, speed: deployment.speed };
    const price = priority({ ...choice, sound: this.#of.isSound() });
    return { model, region: queue, queue: taskQueue(queue, deployment.tier, model), priority: price };
  }

  #arrive(line: Line, place: Place, message: Message): void {
    const lane = this.#of.lanes.find(({ model }) => model === place.model);
    const task = this.#read(message);
    if (!task || !lane) return;
    const delivery = { line, place, message, task, arrived: steady(), isRunning: false, isLost: false };
    line.take(delivery);
    if (line === this.home) lane.held.unshift(delivery);
    else lane.held.push(delivery);
    if (line === this.away) this.#abroad.found(steady());
    this.#of.onChanged();
  }

  #read(message: Message): Task | null {
    try {
      return readTask(message.headers, message.body);
    } catch (error) {
      if (!(error instanceof JunkError)) throw error;
      void this.#refuse(error);
      message.reject();
      return null;
    }
  }

  /** Tell the sender of junk, where it said who it is, that it is junk. */
  async #refuse(junk: JunkError): Promise<void> {
    log.warn("task.junk", { task: junk.task, reason: junk.message });
    if (junk.task === null || junk.replyTo === null) return;
    const { saying } = this.#of.making;
    const report = junkReport(junk.task, junk.message, saying.who.device, saying.who.region, unixTime());
    try {
      await saying.say(junk.replyTo, report);
    } catch (error) {
      if (!(error instanceof BrokerUnreachable) && !(error instanceof BrokerRefused)) throw error;
      log.warn("task.unreported", { task: junk.task, reason: error.message });
    }
  }

  async #run(lane: Lane, delivery: Delivery): Promise<void> {
    lane.running = delivery;
    delivery.isRunning = true;
    const began = steady();
    const verdict = await attempt(delivery.task, lane, this.#of.making);
    lane.running = null;
    delivery.isRunning = false;
    this.#settle(lane, delivery, verdict);
    this.#of.onEnded(verdict, 1000 * (steady() - began));
    this.#of.onChanged();
  }

  #settle(lane: Lane, delivery: Delivery, verdict: Verdict): void {
    if (verdict === "acknowledge") return delivery.line.acknowledge(delivery);
    lane.recovery.failed();
    this.home.want(this.#isClosed ? null : this.#placesAtHome()); // or the task would come straight back
    delivery.line.giveBack(delivery);
  }
}
