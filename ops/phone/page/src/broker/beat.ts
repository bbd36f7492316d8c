/** Heartbeats: both sides of a connection say now and then that they are there. */

/** Milliseconds between two of them, as they are agreed on with the broker. */
export const BEAT = 10_000;

// The broker counts from what it got last: one that is a little late is no silence.
const SENT_EVERY = 0.8 * BEAT;
// As RabbitMQ itself does: one that is missing may be on its way.
const SILENCE = 2 * BEAT;
const LOOK = 2_000;

/** Sends heartbeats, and notices when none come; after `stop` it does nothing. */
export class Heart {
  private readonly send: () => void;
  private readonly onSilence: () => void;
  private readonly timer: ReturnType<typeof setInterval>;
  private heard = performance.now();
  private sent = performance.now();

  constructor(send: () => void, onSilence: () => void) {
    this.send = send;
    this.onSilence = onSilence;
    this.timer = setInterval(() => this.look(performance.now()), LOOK);
  }

  /** Something came from the broker. */
  hear(): void {
    this.heard = performance.now();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(now: number): void {
    if (now - this.heard > SILENCE) return this.onSilence();
    if (now - this.sent < SENT_EVERY) return;
    this.sent = now;
    this.send();
  }
}
