/**
 * A connection for tasks: it hears the queues that are wanted, and hands back what it holds by ending.
 *
 * What came and is not wanted cannot be given back on the connection that it came by: a NACK may bring it straight
 * back, and what arrives while a subscription closes belongs to nobody. So the connection is dropped, once nothing that
 * runs would be lost with it, and the broker hands all of it to the next best device.
 */

import { Link, type Message, type Subscription } from "../broker/link.ts";
import type { BrokerLogin } from "../contract.ts";
import { Backoff } from "./backoff.ts";
import type { Bringer, Delivery, Place } from "./delivery.ts";
import { log } from "./log.ts";
import { reasonOf } from "./reason.ts";
import { steady } from "./steady.ts";

/** Seconds before the next attempt after the broker refused a queue, as it does while the device is to rest. */
export const REFUSED_PAUSE = 5;
/** The same after a refused login, at first and at most. */
export const FIRST_LOGIN_PAUSE = 5;
export const LONGEST_LOGIN_PAUSE = 60;
/** The priorities of devices in good standing begin here. */
const BAND = 64;

export interface LineOf {
  name: string;
  login: BrokerLogin;
  /** Waited for over each new connection, before any queue is heard. */
  ready: () => Promise<void>;
  onMessage: (line: Line, place: Place, message: Message) => void;
  /** Told when a connection stands or falls, or the broker refused something. */
  onChanged: () => void;
}

interface Heard {
  place: Place;
  subscription: Subscription | null;
  isClosing: boolean;
}

export class Line implements Bringer {
  readonly #of: LineOf;
  readonly #logins = new Backoff(FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE);
  readonly #heard = new Map<string, Heard>();
  readonly #unsettled = new Set<Delivery>();
  #wanted: readonly Place[] | null = null;
  #link: Link | null = null;
  #isUp = false;
  #retryAt = 0;
  /** What the broker refused last, and since then has not granted; `null`: nothing. */
  refused: "login" | "permission" | null = null;

  constructor(of: LineOf) {
    this.#of = of;
  }

  /** Whether the connection stands and hears what is wanted, or is about to. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** How many subscriptions are open, as the broker counts them. */
  get consumers(): number {
    return [...this.#heard.values()].filter(({ subscription }) => subscription?.open).length;
  }

  /** Whether a task that it brought runs, or is held. */
  get hasTask(): boolean {
    return this.#unsettled.size > 0;
  }

  /** Tell whether the queue of that model is heard. */
  hears(model: string): boolean {
    return [...this.#heard.values()].some(({ place }) => place.model === model);
  }

  /** Hear these queues and no others; `null`: be disconnected, once what runs has ended. */
  want(places: readonly Place[] | null): void {
    this.#wanted = places;
    this.#follow(false);
  }

  /** Try again at once what was refused, or could not be reached. */
  retry(): void {
    this.#retryAt = 0;
    this.#link?.hurry();
  }

  /** Take in that a task came; it is to be settled or dropped. */
  take(delivery: Delivery): void {
    this.#unsettled.add(delivery);
  }

  acknowledge(delivery: Delivery): void {
    if (!this.#settled(delivery)) return;
    delivery.message.ack();
    this.#follow(true);
  }

  giveBack(delivery: Delivery): void {
    if (!this.#settled(delivery)) return;
    if (this.#hasRunning()) delivery.message.nack();
    else this.#reconnect("a task is given back");
    this.#follow(true);
  }

  drop(): void {
    if (!this.#hasRunning()) this.#reconnect("a task is given back that there is no room for");
  }

  /** Disconnect at once; what is unsettled goes to other devices. */
  async close(): Promise<void> {
    this.#wanted = null;
    await this.#shut();
  }

  #settled(delivery: Delivery): boolean {
    return this.#unsettled.delete(delivery) && !delivery.isLost;
  }

  #hasRunning(): boolean {
    return [...this.#unsettled].some((delivery) => delivery.isRunning);
  }

  /** Do what is missing; `isBusy`: a task has just ended, so that only what must be is changed. */
  #follow(isBusy: boolean): void {
    if (this.#wanted === null) {
      if (this.#link && !this.#hasRunning()) void this.#shut();
    } else if (this.#link === null) this.#connect(this.#wanted);
    else if (this.#isUp) this.#subscribe(this.#link, this.#wanted, isBusy);
  }

  #connect(wanted: readonly Place[]): void {
    if (wanted.length === 0 || steady() < this.#retryAt) return;
    const link: Link = new Link(this.#of.login, {
      onConnected: () => void this.#begin(link),
      onLost: (reason) => this.#lose(link, reason),
      onRefused: (kind, message) => this.#refuse(link, kind, message),
    });
    this.#link = link;
    link.open();
  }

  async #begin(link: Link): Promise<void> {
    this.#forget();
    this.#logins.succeeded();
    await this.#of.ready();
    if (this.#link !== link || !link.isConnected) return;
    this.#isUp = true;
    log.info("line.up", { line: this.#of.name });
    this.#of.onChanged();
  }

  #subscribe(link: Link, wanted: readonly Place[], isBusy: boolean): void {
    for (const heard of this.#heard.values()) {
      const place = wanted.find(({ queue }) => queue === heard.place.queue);
      if (isStale(heard.place, place, isBusy) && !this.#hasFrom(heard.place)) this.#hush(heard);
    }
    for (const place of wanted) if (!this.#heard.has(place.queue)) void this.#hear(link, place);
  }

  #hasFrom(place: Place): boolean {
    return [...this.#unsettled].some((delivery) => delivery.place.queue === place.queue);
  }

  async #hear(link: Link, place: Place): Promise<void> {
    const heard: Heard = { place, subscription: null, isClosing: false };
    this.#heard.set(place.queue, heard);
    const hearing = { mode: "client", prefetch: 1, priority: place.priority } as const;
    try {
      heard.subscription = await link.subscribe(place.queue, hearing, (message) => {
        if (this.#link === link) this.#of.onMessage(this, place, message);
      });
      this.refused = null;
    } catch (error) {
      this.#unhear(heard);
      log.warn("line.unheard", { line: this.#of.name, queue: place.queue, reason: reasonOf(error) });
    }
    this.#of.onChanged();
  }

  #hush(heard: Heard): void {
    if (heard.isClosing || heard.subscription === null) return;
    heard.isClosing = true;
    const end = (): void => {
      this.#unhear(heard);
      this.#of.onChanged();
    };
    heard.subscription.close().then(end, end);
  }

  #unhear(heard: Heard): void {
    if (this.#heard.get(heard.place.queue) === heard) this.#heard.delete(heard.place.queue);
  }

  #lose(link: Link, reason: string): void {
    if (this.#link !== link) return;
    log.warn("line.lost", { line: this.#of.name, reason });
    this.#forget();
    this.#of.onChanged();
  }

  #refuse(link: Link, kind: "login" | "permission", message: string): void {
    if (this.#link !== link) return;
    const seconds = kind === "login" ? this.#logins.afterFailure() : REFUSED_PAUSE;
    log.warn("line.refused", { line: this.#of.name, kind, reason: message, seconds });
    [this.refused, this.#retryAt] = [kind, steady() + seconds];
    void this.#shut();
    this.#of.onChanged();
  }

  #reconnect(reason: string): void {
    this.#forget();
    this.#link?.reconnect(reason);
  }

  async #shut(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    this.#forget();
    await link?.close(0);
  }

  /** The connection is gone, and all that came by it is another device's. */
  #forget(): void {
    this.#isUp = false;
    this.#heard.clear();
    for (const delivery of this.#unsettled) delivery.isLost = true;
    this.#unsettled.clear();
  }
}

/** Whether to hear a queue no more as it is heard; a busy one only where its priority is in the wrong band. */
function isStale(heard: Place, wanted: Place | undefined, isBusy: boolean): boolean {
  if (!wanted) return true;
  if (!isBusy) return heard.priority !== wanted.priority;
  return heard.priority >= BAND !== wanted.priority >= BAND;
}
