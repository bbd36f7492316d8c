/** Joining a network: a device asks by an owner's token, and keeps what it is given (worker/join.py). */

import { call } from "../broker/call.ts";
import type { Calibration, Enrolment, Measurement, Preferences } from "../contract.ts";
import { JoinRefused } from "../errors.ts";
import { type Accepted, readJoinAnswer, writeJoinRequest } from "../wire/joining.ts";
import type { DeviceKeys } from "../wire/keys.ts";
import { ENROLMENT } from "../wire/names.ts";
import { proofKey } from "../wire/proof.ts";
import { bootstrapLogin, type JoinToken, loginAs, parseToken } from "../wire/token.ts";
import { plain } from "./reason.ts";
import { MEMORY, type Share, threadsOf } from "./share.ts";
import { unixTime } from "./steady.ts";
import type { Tools } from "./tools.ts";
import { type OnStep, Trials } from "./trials.ts";

const JOIN = "join";
const LONGEST_NAME = 100;

/** How a device asks. `name` is what its owner calls it; `stop` ends it between two steps. */
export interface Asking {
  token: string;
  name: string;
  keys: DeviceKeys;
  preferences: Preferences;
  onStep: OnStep;
  stop: AbortSignal;
}

/** What joining gave, and how fast the models that the device is to host run here. */
export interface Joined {
  enrolment: Enrolment;
  calibrations: Record<string, Calibration>;
}

/** What is claimed, by the names of models/claim.py. */
interface Claim {
  measured: Measurement;
  share: Share;
  calibrations: Record<string, Calibration>;
  unable: string[];
}

/**
 * Measure this device, ask to join, try the models that it is to host, and tell how fast they ran.
 *
 * Asking twice is harmless: a device is known by its keys, and only its first time uses the token.
 *
 * @throws InvalidToken, JoinRefused, BrokerUnreachable, BrokerRefused, InvalidMessage, ModelError: why not.
 */
export async function join(asking: Asking, tools: Tools): Promise<Joined> {
  const token = await parseToken(asking.token);
  asking.onStep("measuring this phone");
  const measured = await tools.measure((progress) => asking.onStep("measuring this phone", progress));
  const key = await proofKey(token.id, token.secret);
  const ask = (claim: Claim): Promise<Accepted> => askOnce(token, key, asking, claim);
  const { accepted, calibrations } = await new Negotiation(asking, tools, ask).end(measured);
  const { device, region, credentials, deployments } = accepted;
  const broker = loginAs(token, credentials.user, credentials.password);
  return { enrolment: { device, region, broker, deployments }, calibrations };
}

/** Asks, tries what it is given, and asks again, until everything that it is given was tried. */
class Negotiation {
  readonly #asking: Asking;
  readonly #trials: Trials;
  readonly #ask: (claim: Claim) => Promise<Accepted>;

  constructor(asking: Asking, tools: Tools, ask: (claim: Claim) => Promise<Accepted>) {
    this.#asking = asking;
    this.#trials = new Trials(tools, asking.onStep, asking.stop);
    this.#ask = ask;
  }

  async end(measured: Measurement): Promise<{ accepted: Accepted; calibrations: Record<string, Calibration> }> {
    let [accepted, claim] = await this.#first(measured);
    for (;;) {
      const untried = accepted.deployments.filter((deployment) => !this.#trials.knows(deployment));
      if (untried.length === 0) return { accepted, calibrations: this.#trials.calibrations };
      await this.#trials.run(untried);
      claim = { ...claim, calibrations: this.#trials.calibrations, unable: [...this.#trials.unable.keys()] };
      accepted = await this.#tell(claim);
    }
  }

  async #first(measured: Measurement): Promise<[Accepted, Claim]> {
    this.#asking.onStep("asking to join");
    const threads = threadsOf(measured, this.#asking.preferences);
    for (const [tried, memory] of MEMORY.entries()) {
      const claim: Claim = { measured, share: { memory, threads }, calibrations: {}, unable: [] };
      try {
        return [await this.#ask(claim), claim];
      } catch (error) {
        const isTooLittle = error instanceof JoinRefused && error.reason === "nothing-fits";
        if (!isTooLittle || tried + 1 === MEMORY.length) throw error;
      }
    }
    throw new RangeError("no share was offered");
  }

  async #tell(claim: Claim): Promise<Accepted> {
    this.#asking.onStep("telling what was measured");
    try {
      return await this.#ask(claim);
    } catch (error) {
      throw error instanceof JoinRefused ? this.#trials.reasonOf(error) : error;
    }
  }
}

async function askOnce(token: JoinToken, key: Uint8Array, asking: Asking, claim: Claim): Promise<Accepted> {
  asking.stop.throwIfAborted();
  const name = Array.from(plain(asking.name)).slice(0, LONGEST_NAME).join("") || "phone";
  // A browser tells nothing that is one machine's own.
  const request = { token: token.id, name, hardwareId: null, measurement: claim, at: unixTime() };
  const body = await writeJoinRequest(request, asking.keys, key);
  return readJoinAnswer(await call(bootstrapLogin(token), ENROLMENT, JOIN, body), asking.keys, body, key);
}
