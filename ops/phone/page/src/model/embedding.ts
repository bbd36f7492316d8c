/** The embedding engine: texts in, one vector for each out. */

import type { Vectors } from "../contract.ts";
import { BadInput, ModelError } from "../errors.ts";
import { batches } from "./batching.ts";
import type { Session, Values } from "./runtime.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Padded tokens in one step of the model. Longer steps were no faster in a browser, and what they pad costs as much. */
const TOKEN_BUDGET = 96;

/** A model that turns each text into a vector of length one; texts beyond its longest input are cut off. */
export class Embedding {
  readonly #session: Session;
  readonly #tokenizer: Tokenizer;

  constructor(session: Session, tokenizer: Tokenizer) {
    this.#session = session;
    this.#tokenizer = tokenizer;
  }

  /**
   * Return one float32 row for each text, in the order of the texts.
   *
   * @param beforeStep awaited before each step of the model; what it throws ends the run.
   * @throws BadInput one of the texts is not valid Unicode. ModelError: the engine failed.
   */
  async run(texts: string[], beforeStep: () => Promise<void>): Promise<Vectors> {
    refuseSurrogates(texts);
    const tokens = texts.map((text) => this.#tokenizer.encode(text));
    let vectors: Vectors = { data: new Float32Array(), rows: texts.length, width: 0 };
    for (const group of batches(tokens.map((ids) => ids.length), TOKEN_BUDGET)) {
      await beforeStep();
      const output = await this.#session.run(padded(group.map((position) => tokens[position] ?? [])));
      vectors = placed(vectors, group, output);
    }
    return vectors;
  }
}

/** JSON can carry half of a surrogate pair, which is no character. */
function refuseSurrogates(texts: string[]): void {
  for (const [number, text] of texts.entries()) {
    const place = text.search(/\p{Surrogate}/u);
    if (place < 0) continue;
    const character = [...text.slice(0, place)].length;
    throw new BadInput(`Text ${number} is not valid Unicode: surrogates not allowed at character ${character}.`);
  }
}

function padded(rows: number[][]): Record<string, Values> {
  const longest = Math.max(...rows.map((ids) => ids.length));
  const shape = [rows.length, longest];
  const ids = new BigInt64Array(rows.length * longest);
  const mask = new BigInt64Array(rows.length * longest);
  for (const [row, own] of rows.entries()) {
    ids.set(own.map(BigInt), row * longest);
    mask.fill(1n, row * longest, row * longest + own.length);
  }
  return { input_ids: { data: ids, shape }, attention_mask: { data: mask, shape } };
}

/** Put a step's rows where their texts belong; the first step tells how wide they are. */
function placed(vectors: Vectors, group: number[], output: Values): Vectors {
  const width = output.shape[1] ?? 0;
  if (!(output.data instanceof Float32Array) || output.shape[0] !== group.length || !width) {
    throw new ModelError("The model's output is not one row for each text.");
  }
  const data = vectors.width ? vectors.data : new Float32Array(vectors.rows * width);
  for (const [row, position] of group.entries()) {
    data.set(output.data.subarray(row * width, (row + 1) * width), position * width);
  }
  return { data, rows: vectors.rows, width };
}
