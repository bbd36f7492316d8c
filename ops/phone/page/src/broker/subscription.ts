/** What is heard from one queue over one connection. */

import type { Frame } from "./frame.ts";
import type { Session } from "./session.ts";

/** A message that came; headers are those of STOMP. In the mode `client` it is settled once, by one of the three. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly redelivered: boolean;
  /** It is done. After the subscription or the connection has ended none of these does anything. */
  ack(): void;
  /** It goes back to its queue. */
  nack(): void;
  /** It goes to the dead letters: it is junk. */
  reject(): void;
}

export interface Hearing {
  /** Whether each message is settled when it is sent, or by ack(), nack() or reject(). */
  mode: "auto" | "client";
  priority?: number;
  /** How many may be unsettled. */
  prefetch?: number;
}

export interface Subscription {
  /** Whether messages may come. */
  readonly open: boolean;
  /**
   * Hear no more from now on; resolves once the broker sends no more. What came meanwhile, or is unsettled, is handed
   * back to its queue, which only the end of the whole connection does: then that is made anew.
   *
   * @throws BrokerUnreachable the connection ended, and with it the subscription.
   */
  close(): Promise<void>;
}

/** A subscription over a session. */
export class Heard implements Subscription {
  readonly id: string;
  private readonly session: Session;
  private readonly mode: Hearing["mode"];
  private readonly onMessage: (message: Message) => void;
  private readonly unsettled = new Set<Frame>();
  private state: "open" | "closing" | "closed" = "open";

  constructor(session: Session, id: string, mode: Hearing["mode"], onMessage: (message: Message) => void) {
    this.session = session;
    this.id = id;
    this.mode = mode;
    this.onMessage = onMessage;
  }

  get open(): boolean {
    return this.state === "open" && this.session.isConnected;
  }

  /** A message came for it. */
  take(frame: Frame): void {
    if (this.mode === "client") this.unsettled.add(frame);
    if (this.state === "closed") this.handBack();
    if (this.state !== "open") return;
    const { headers, body } = frame;
    const settle = (command: string, more = {}) => this.settle(frame, command, more);
    this.onMessage({
      headers,
      body,
      redelivered: headers.redelivered === "true",
      ack: () => settle("ACK"),
      nack: () => settle("NACK"),
      reject: () => settle("NACK", { requeue: "false" }),
    });
  }

  async close(): Promise<void> {
    if (this.state !== "open") return;
    this.state = "closing";
    try {
      await this.session.request("UNSUBSCRIBE", { id: this.id });
    } catch (error) {
      this.handBack();
      throw error;
    }
    this.state = "closed";
    if (this.unsettled.size) this.handBack();
  }

  /** The end of the connection alone hands back what came, or may have come, for what is closed. */
  private handBack(): void {
    this.session.end("what came for a closed subscription was handed back");
  }

  /** The broker ends the connection where one is settled twice, or after its subscription. */
  private settle(frame: Frame, command: string, more: Record<string, string>): void {
    if (this.state !== "open" || !this.unsettled.delete(frame)) return;
    this.session.send(command, { id: frame.headers.ack ?? "", ...more });
  }
}
