/** The connection by which the device hears orders, asks, and says what it has to say. */

import { NetworkClock } from "../broker/clock.ts";
import { Link, type Message, type Subscription } from "../broker/link.ts";
import { Questions } from "../broker/questions.ts";
import type { BrokerLogin, Standing } from "../contract.ts";
import { StarAIError } from "../errors.ts";
import { CANCELLATIONS, readCancelled } from "../wire/cancellation.ts";
import { readStanding, STANDING, writeStandingQuestion } from "../wire/greeting.ts";
import { deviceQueue } from "../wire/names.ts";
import { type Order, readOrder } from "../wire/order.ts";
import { Cancellations } from "./cancellations.ts";
import { Greeting } from "./greeting.ts";
import { Happening } from "./happening.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";
import { sleep } from "./sleep.ts";

/** Milliseconds after connecting within which the platform is to say what was cancelled; then tasks are taken. */
export const TOLD_WITHIN = 2_000;
/** Seconds between two questions how the device stands. */
export const STANDING_EVERY = 60;

const STANDING_WITHIN = 5_000;
const NOTHING = new Uint8Array(0);

export interface ControlEvents {
  onOrder: (order: Order) => void;
  onStanding: (standing: Standing) => void;
  /** Something else changed: the connection, whether the login is refused, the device's state. */
  onChanged: () => void;
}

export class Control {
  readonly #device: string;
  readonly #events: ControlEvents;
  readonly #questions: Questions;
  readonly link: Link;
  readonly clock = new NetworkClock();
  readonly cancellations = new Cancellations(() => this.clock.now());
  readonly greeting = new Greeting((key, body, withinMs) => this.ask(key, body, withinMs));
  /** What the broker said when it refused the login, or `null`. */
  refused: string | null = null;
  // Ends with the connection.
  #over = new AbortController();
  // Once answers are heard, and once it is known what was cancelled; anew for each connection.
  #listening = new Happening();
  #told = new Happening();

  constructor(device: string, login: BrokerLogin, events: ControlEvents) {
    this.#device = device;
    this.#events = events;
    this.#questions = new Questions(login.user, this.clock);
    this.link = new Link(login, {
      onConnected: () => void this.#begin(),
      onLost: (reason) => this.#lose(reason),
      onRefused: (kind, message) => this.#refuse(kind, message),
    });
  }

  /**
   * Ask the platform under that key of `reports`.
   *
   * @throws BrokerUnreachable nobody answered within so many milliseconds, or the connection was lost.
   * @throws BrokerRefused the broker refused.
   */
  async ask(key: string, body: Uint8Array, withinMs: number): Promise<Uint8Array> {
    const until = performance.now() + withinMs;
    await Promise.race([this.#listening.happened, sleep(withinMs / 1000)]);
    return this.#questions.ask(this.link, key, body, Math.max(Math.ceil(until - performance.now()), 1));
  }

  /** Wait until the device knows what was cancelled, or has waited for that long enough. */
  async told(): Promise<void> {
    await Promise.race([this.#told.happened, sleep(TOLD_WITHIN / 1000)]);
  }

  /** Say nothing more; what was said already has so many milliseconds to arrive. */
  async close(withinMs: number): Promise<void> {
    this.#over.abort();
    await this.link.close(withinMs);
  }

  async #begin(): Promise<void> {
    this.#over = new AbortController();
    const over = this.#over.signal;
    this.refused = null;
    this.#events.onChanged();
    try {
      await this.#listen();
      void this.#askCancelled();
      await this.greeting.hello(over);
      this.#events.onChanged();
      await this.#watchStanding(over);
    } catch (error) {
      if (!over.aborted) log.warn("control.hindered", { reason: reasonOf(error) });
    }
  }

  async #listen(): Promise<Subscription> {
    await this.#questions.listen(this.link);
    this.#listening.happen();
    const hearing = { mode: "client" } as const;
    return this.link.subscribe(deviceQueue(this.#device), hearing, (message) => this.#hear(message));
  }

  #hear(message: Message): void {
    message.ack();
    const order = readOrder(message.headers["user-id"], message.body);
    if (order === null) return log.warn("order.dropped", { bytes: message.body.length });
    this.cancellations.add(order.cancel);
    if (order.sound !== null) this.greeting.order(order.sound);
    log.info("order.taken", { duty: order.duty, cancelled: order.cancel.length, probe: order.probe?.cycle });
    this.#events.onOrder(order);
  }

  async #askCancelled(): Promise<void> {
    try {
      const cancelled = readCancelled(await this.ask(CANCELLATIONS, NOTHING, TOLD_WITHIN));
      log.info("cancellations.told", { tasks: cancelled.length });
      this.cancellations.add(cancelled);
      this.#told.happen();
    } catch (error) {
      if (!(error instanceof StarAIError)) throw error;
      log.warn("cancellations.untold", { reason: error.message });
    }
  }

  async #watchStanding(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await this.#askStanding();
      await sleep(STANDING_EVERY, over).catch(() => undefined);
    }
  }

  async #askStanding(): Promise<void> {
    try {
      this.#events.onStanding(readStanding(await this.ask(STANDING, writeStandingQuestion(), STANDING_WITHIN)));
    } catch (error) {
      if (!(error instanceof StarAIError)) throw error;
      log.warn("standing.unknown", { reason: error.message });
    }
  }

  #lose(reason: string): void {
    log.warn("control.lost", { reason });
    this.#over.abort();
    this.#listening = new Happening();
    this.#told = new Happening();
    this.#events.onChanged();
  }

  #refuse(kind: "login" | "permission", message: string): void {
    log.warn("control.refused", { kind, reason: message });
    if (kind === "login") this.refused = message;
    this.#events.onChanged();
  }
}
