/** One connection to the broker's web STOMP, from its opening to its end. */

import type { BrokerLogin } from "../contract.ts";
import { BrokerRefused, BrokerUnreachable, InvalidMessage } from "../errors.ts";
import { BEAT, Heart } from "./beat.ts";
import { type Frame, HEARTBEAT, readFrame, writeFrame } from "./frame.ts";

/** How a connection ended: it was lost; or the broker refused the login, or something that was asked. */
export interface End {
  kind: "lost" | "login" | "permission";
  reason: string;
}

export interface SessionEvents {
  onConnected(): void;
  /** A message came. */
  onMessage(frame: Frame): void;
  /** The connection is over; said once, after whoever waits for a receipt was told. */
  onEnd(end: End): void;
}

interface Waiting {
  late: ReturnType<typeof setTimeout>;
  resolve(): void;
  reject(error: Error): void;
}

const PROTOCOL = "v12.stomp";
// Milliseconds for a connection to stand.
const OPENED_WITHIN = 15_000;
// Milliseconds for the broker to do what was asked. It says nothing of a message that a full queue did not take.
const DONE_WITHIN = 30_000;
// What RabbitMQ says when it ends a connection because of what was asked over it, often without an ERROR before.
const DIED = "STOMP died";
const NO_REASON = "RabbitMQ gave no reason";
const NO_WORD = "the network may be gone";
const REFUSALS = new Set(["access_refused", "not_found", "not_allowed", "precondition_failed", "resource_locked"]);

/** It begins to connect at once. */
export class Session {
  private readonly login: BrokerLogin;
  private readonly events: SessionEvents;
  private readonly socket: WebSocket;
  private readonly waiting = new Map<string, Waiting>();
  private readonly patience: ReturnType<typeof setTimeout>;
  private heart: Heart | null = null;
  private isOver = false;
  private receipts = 0;

  /** @throws BrokerUnreachable the address is none. */
  constructor(login: BrokerLogin, events: SessionEvents) {
    this.login = login;
    this.events = events;
    this.socket = socketTo(login.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => this.sayWho();
    this.socket.onmessage = ({ data }) => this.take(data as ArrayBuffer | string);
    this.socket.onclose = ({ reason }) => this.closed(reason);
    this.patience = setTimeout(() => this.end("the broker did not answer in time"), OPENED_WITHIN);
  }

  /** Whether the broker has let it in, and it is not over. */
  get isConnected(): boolean {
    return this.heart !== null && !this.isOver;
  }

  /** Send a frame; does nothing once it is over. */
  send(command: string, headers: Record<string, string>, body?: Uint8Array): void {
    if (this.isConnected) this.socket.send(writeFrame(command, headers, body));
  }

  /**
   * Send a frame, and wait until the broker has done what it asks for.
   *
   * @throws BrokerUnreachable the connection is over, or ends before, or the broker says nothing of it in time.
   * @throws BrokerRefused the broker refused it, and nothing else can be meant.
   */
  request(command: string, headers: Record<string, string>, body?: Uint8Array): Promise<void> {
    if (!this.isConnected) return Promise.reject(new BrokerUnreachable("No connection to the broker stands."));
    const receipt = `r${++this.receipts}`;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.giveUp(receipt), DONE_WITHIN);
      this.waiting.set(receipt, { late, resolve, reject });
      this.send(command, { ...headers, receipt }, body);
    });
  }

  /** End it now: what is unsettled goes back at once. */
  end(reason: string, kind: End["kind"] = "lost"): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.patience);
    this.heart?.stop();
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    // Not waited for: over a network that is gone the closing would take long.
    this.socket.close();
    this.tellWaiting({ kind, reason });
    this.events.onEnd({ kind, reason });
  }

  private sayWho(): void {
    const { vhost, user, password } = this.login;
    const headers = { "accept-version": "1.2", host: vhost, login: user, passcode: password };
    this.socket.send(writeFrame("CONNECT", { ...headers, "heart-beat": `${BEAT},${BEAT}` }));
  }

  private take(data: ArrayBuffer | string): void {
    this.heart?.hear();
    try {
      const frame = readFrame(data);
      if (frame) this.takeFrame(frame);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      this.end(error.message);
    }
  }

  private takeFrame(frame: Frame): void {
    if (frame.command === "MESSAGE") return this.events.onMessage(frame);
    if (frame.command === "RECEIPT") return this.takeReceipt(frame.headers["receipt-id"] ?? "");
    if (frame.command === "CONNECTED") return this.letIn();
    if (frame.command === "ERROR") this.takeError(frame);
  }

  private letIn(): void {
    clearTimeout(this.patience);
    this.heart = new Heart(
      () => this.socket.send(HEARTBEAT),
      () => this.end("the broker fell silent"),
    );
    this.events.onConnected();
  }

  private takeReceipt(receipt: string): void {
    this.settled(receipt)?.resolve();
  }

  private giveUp(receipt: string): void {
    const reason = `The broker did not do within ${DONE_WITHIN / 1000} s what was asked: a queue may be full.`;
    this.settled(receipt)?.reject(new BrokerUnreachable(reason));
  }

  private settled(receipt: string): Waiting | undefined {
    const waiting = this.waiting.get(receipt);
    this.waiting.delete(receipt);
    clearTimeout(waiting?.late);
    return waiting;
  }

  /** RabbitMQ may leave the connection open after an error, and even send the receipt of what it refused. */
  private takeError(frame: Frame): void {
    const { message = "" } = frame.headers;
    const reason = new TextDecoder().decode(frame.body).trim() || message;
    if (!this.isConnected) return this.end(reason, "login");
    this.end(reason, REFUSALS.has(message) ? "permission" : "lost");
  }

  private closed(reason: string): void {
    const hasDied = reason === DIED;
    const isRefusal = hasDied && this.waiting.size > 0;
    this.end(hasDied ? NO_REASON : reason || NO_WORD, isRefusal ? "permission" : "lost");
  }

  /** The broker does not say what it refused: where several things were asked, each may be asked again. */
  private tellWaiting({ kind, reason }: End): void {
    const isRefused = kind === "permission" && this.waiting.size === 1;
    const error = isRefused
      ? new BrokerRefused(`The broker refused: ${reason}.`)
      : new BrokerUnreachable(`The connection to the broker was lost: ${reason}.`);
    for (const receipt of [...this.waiting.keys()]) this.settled(receipt)?.reject(error);
  }
}

function socketTo(url: string): WebSocket {
  try {
    return new WebSocket(url, [PROTOCOL]);
  } catch (error) {
    throw new BrokerUnreachable(`The broker's address ${url} is none that this page may use.`, { cause: error });
  }
}
