/** A model's worker, seen from outside: what it was asked, what it answered, how it ended. */

import type { Vectors } from "../contract.ts";
import { ModelError } from "../errors.ts";
import { type Answer, errorOf, type Request, type Speed } from "./messages.ts";

type Made = Vectors | Speed | null;
/** A request as it is asked; its number is given to it. */
export type Asked = Request extends infer R ? (R extends { type: "cancel" } ? never : Omit<R, "id">) : never;

interface Waiting {
  resolve(made: Made): void;
  reject(error: Error): void;
  onPart(part: number): void;
}

/** A worker that is asked. Once it has ended, whatever it is asked is rejected with a ModelError. */
export class Talk {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #ended: ModelError | null = null;

  constructor() {
    this.#worker = new Worker(new URL("./model.js", self.location.href), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer>) => this.#hear(data);
    this.#worker.onmessageerror = () => this.end("The model's worker said what cannot be read.");
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.end(`The model's worker ended: ${event.message || "it could not be loaded"}.`);
    };
  }

  /** Whether it can be asked. */
  get isAlive(): boolean {
    return this.#ended === null;
  }

  /** Ask, and return what came of it; `stop` asks it to give up. */
  ask(request: Asked, stop?: AbortSignal, onPart: (part: number) => void = () => {}): Promise<Made> {
    const id = ++this.#last;
    const cancel = () => this.#tell({ type: "cancel", id });
    return new Promise<Made>((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      this.#waiting.set(id, { resolve, reject, onPart });
      this.#tell({ ...request, id });
      stop?.addEventListener("abort", cancel);
    }).finally(() => stop?.removeEventListener("abort", cancel));
  }

  /** End it at once; what it was asked is rejected with that reason. */
  end(reason: string): void {
    this.#worker.terminate();
    this.#ended ??= new ModelError(reason);
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }

  #tell(request: Request): void {
    this.#worker.postMessage(request);
  }

  #hear(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    if (answer.type === "told") return waiting?.onPart(answer.part);
    this.#waiting.delete(answer.id);
    if (answer.type === "done") return waiting?.resolve(answer.made);
    waiting?.reject(errorOf(answer.fault));
    if (answer.fault.isBroken) this.end(answer.fault.message);
  }
}
