/** What goes wrong. Each message says what happened, to what, and what to do. */

export class StarAIError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The submitter's fault: no device could do it. */
export class BadInput extends StarAIError {}
/** The task was cancelled. */
export class Cancelled extends StarAIError {}
/** This device could not do it; another may. */
export class ModelError extends StarAIError {}
/** A file of a model is not what it has to be. */
export class ModelCorrupt extends ModelError {}
/** The text is no join token. */
export class InvalidToken extends StarAIError {}
/** A message that is not what it should be. */
export class InvalidMessage extends StarAIError {}
/** The platform does not let this device join; `reason` is for a program. */
export class JoinRefused extends StarAIError {
  readonly reason: string;
  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}
/** The broker could not be reached, or the connection was lost. */
export class BrokerUnreachable extends StarAIError {}
/** The broker refused the login, or what was asked. */
export class BrokerRefused extends StarAIError {}
