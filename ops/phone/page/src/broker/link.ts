/** A connection to the broker's web STOMP that comes back. */

import type { BrokerLogin } from "../contract.ts";
import { BrokerRefused, BrokerUnreachable, type StarAIError } from "../errors.ts";
import type { Frame } from "./frame.ts";
import { PAUSES, Patience, type Pauses } from "./pauses.ts";
import { type End, Session } from "./session.ts";
import { Heard, type Hearing, type Message, type Subscription } from "./subscription.ts";

export type { Hearing, Message, Subscription } from "./subscription.ts";

export interface Properties {
  userId: string;
  correlationId?: string;
  replyTo?: string;
  /** Milliseconds after which the broker drops what nobody has read. */
  expiration?: number;
  contentType?: string;
}

export interface LinkEvents {
  /** A new connection stands: subscribe anew. */
  onConnected?(link: Link): void;
  /** The connection is lost; it comes back by itself. */
  onLost?(reason: string): void;
  /** The broker refused the login, or something that was asked over the connection, which then ended. */
  onRefused?(kind: "login" | "permission", message: string): void;
}

interface Waiting {
  resolve(): void;
  reject(error: StarAIError): void;
}

/** A connection that comes back, with growing pauses, until it is closed. Events are never told after that. */
export class Link {
  private readonly login: BrokerLogin;
  private readonly events: LinkEvents;
  private readonly patience: Patience;
  private readonly waiting = new Set<Waiting>();
  private subscriptions = new Map<string, Heard>();
  private publishing = new Set<Promise<void>>();
  private session: Session | null = null;
  private pause: ReturnType<typeof setTimeout> | undefined;
  private state: "new" | "open" | "closed" = "new";
  private stands = false;
  private number = 0;

  constructor(login: BrokerLogin, events: LinkEvents = {}, pauses: Pauses = PAUSES) {
    this.login = login;
    this.events = events;
    this.patience = new Patience(pauses);
  }

  /** Whether a connection stands now. */
  get isConnected(): boolean {
    return this.session?.isConnected ?? false;
  }

  /**
   * Begin to connect; opening it twice is harmless.
   *
   * @throws BrokerUnreachable the address is none.
   */
  open(): void {
    if (this.state !== "new") return;
    this.state = "open";
    this.connect();
  }

  /** Where it pauses before the next attempt, make that now: the network may be back. */
  hurry(): void {
    if (this.state === "open" && !this.session) this.connect();
  }

  /**
   * Wait until a connection stands.
   *
   * @throws BrokerUnreachable none did within so many milliseconds, or it was closed.
   * @throws BrokerRefused the broker refused the login meanwhile.
   */
  connected(withinMs: number): Promise<void> {
    if (this.isConnected) return Promise.resolve();
    if (this.state === "closed") return Promise.reject(this.unreachable());
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => waiting.reject(this.unreachable()), withinMs);
      const settled = () => void (clearTimeout(late), this.waiting.delete(waiting));
      const waiting: Waiting = {
        resolve: () => void (settled(), resolve()),
        reject: (error) => void (settled(), reject(error)),
      };
      this.waiting.add(waiting);
    });
  }

  /**
   * Send a message, and wait until the broker has taken it. It is not kept over a restart of the broker.
   *
   * @throws BrokerUnreachable no connection stands, or it was lost before the broker said so, or a queue is full.
   * @throws BrokerRefused the broker refused it.
   */
  async publish(exchange: string, key: string, body: Uint8Array, properties: Properties): Promise<void> {
    const destination = `/exchange/${encodeURIComponent(exchange)}/${encodeURIComponent(key)}`;
    const sent = this.standing().request("SEND", { destination, ...headersFor(properties) }, body);
    this.publishing.add(sent);
    try {
      await sent;
    } finally {
      this.publishing.delete(sent);
    }
  }

  /**
   * Hear a queue's messages over the connection that stands, from the moment that this resolves or a little earlier.
   *
   * @throws BrokerUnreachable no connection stands, or it was lost.
   * @throws BrokerRefused the broker refused.
   */
  async subscribe(queue: string, hearing: Hearing, onMessage: (message: Message) => void): Promise<Subscription> {
    const session = this.standing();
    // A fresh name each time, as RabbitMQ 3.10's quorum queues need.
    const heard = new Heard(session, `s${++this.number}`, hearing.mode, onMessage);
    this.subscriptions.set(heard.id, heard);
    try {
      await session.request("SUBSCRIBE", headersOfHearing(heard.id, queue, hearing));
    } catch (error) {
      session.end("a subscription does not stand");
      throw error;
    }
    return heard;
  }

  /** Drop the connection, which hands back at once all that is unsettled, and make it anew soon. */
  reconnect(reason: string): void {
    this.session?.end(reason);
  }

  /** End for good, once what was published is confirmed or so many milliseconds are over. Twice is harmless. */
  async close(withinMs = 2_000): Promise<void> {
    if (this.publishing.size && this.isConnected) await soon(Promise.allSettled(this.publishing), withinMs);
    this.state = "closed";
    clearTimeout(this.pause);
    this.session?.end("it was closed");
    for (const { reject } of this.waiting) reject(this.unreachable());
  }

  private connect(): void {
    clearTimeout(this.pause);
    const session: Session = new Session(this.login, {
      onConnected: () => this.stand(),
      onMessage: (frame) => this.take(frame),
      onEnd: (end) => this.over(end),
    });
    this.session = session;
  }

  private stand(): void {
    this.stands = true;
    this.patience.succeeded();
    for (const { resolve } of this.waiting) resolve();
    this.events.onConnected?.(this);
  }

  private take(frame: Frame): void {
    this.subscriptions.get(frame.headers.subscription ?? "")?.take(frame);
  }

  private over({ kind, reason }: End): void {
    const stood = this.stands;
    this.stands = false;
    this.session = null;
    this.subscriptions.clear();
    if (this.state === "closed") return;
    this.pause = setTimeout(() => this.connect(), this.patience.after(kind));
    if (kind === "login") this.refuseWaiting(reason);
    if (kind !== "lost") this.events.onRefused?.(kind, reason);
    if (stood) this.events.onLost?.(reason);
  }

  private refuseWaiting(reason: string): void {
    const error = new BrokerRefused(`The broker at ${this.login.url} refused the login: ${reason}.`);
    for (const { reject } of this.waiting) reject(error);
  }

  private standing(): Session {
    if (!this.session?.isConnected) throw this.unreachable();
    return this.session;
  }

  private unreachable(): BrokerUnreachable {
    return new BrokerUnreachable(`The broker at ${this.login.url} could not be reached. Is this phone online?`);
  }
}

function headersFor(properties: Properties): Record<string, string> {
  const { userId, correlationId, replyTo, expiration, contentType = "application/json" } = properties;
  return {
    "user-id": userId,
    "content-type": contentType,
    persistent: "false",
    ...(correlationId !== undefined && { "correlation-id": correlationId }),
    ...(replyTo !== undefined && { "reply-to": replyTo }),
    ...(expiration !== undefined && { expiration: String(Math.round(expiration)) }),
  };
}

function headersOfHearing(id: string, queue: string, hearing: Hearing): Record<string, string> {
  const { mode, priority, prefetch } = hearing;
  return {
    id,
    destination: `/amq/queue/${encodeURIComponent(queue)}`,
    ack: mode === "client" ? "client-individual" : "auto",
    ...(prefetch !== undefined && { "prefetch-count": String(prefetch) }),
    ...(priority !== undefined && { "x-priority": String(priority) }),
  };
}

async function soon(work: Promise<unknown>, withinMs: number): Promise<void> {
  let late: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((resolve) => (late = setTimeout(resolve, withinMs)))]);
  clearTimeout(late);
}
