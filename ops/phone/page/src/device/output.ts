/** What a model that embeds makes of a task, as it travels (tasks/output.py). */

import type { Vectors } from "../contract.ts";
import { BadInput } from "../errors.ts";
import { type Inputs, MAX_BODY, type Task } from "../wire/task.ts";
import { pack, type Tensor } from "../wire/tensor.ts";

// What a report needs beside its vectors, at most.
const ENVELOPE = 1024;

/**
 * Return the texts of a task.
 *
 * @throws BadInput it is not for a model that makes vectors.
 */
export function textsOf(task: Task): string[] {
  const texts = task.stream || task.generates ? null : asTexts(task.inputs);
  if (texts === null) {
    throw new BadInput("This model makes vectors of texts, and generates none: give it a text, or a list of texts.");
  }
  if (texts.length === 0) throw new BadInput("The list of texts is empty: there is nothing to do.");
  return texts;
}

/**
 * Return the vectors as they travel: a row of its own for a single text.
 *
 * @throws BadInput they are too large to send.
 */
export function tensorOf(task: Task, vectors: Vectors): Tensor {
  const tensor = pack(vectors);
  const size = tensor.data.length + ENVELOPE;
  if (size > MAX_BODY) {
    const [has, most] = [size.toLocaleString("en-US"), MAX_BODY.toLocaleString("en-US")];
    throw new BadInput(
      `The result would have ${has} bytes; the most is ${most}. Send fewer texts in one task, or use map().`,
    );
  }
  return typeof task.inputs === "string" ? { ...tensor, shape: [vectors.width] } : tensor;
}

function asTexts(inputs: Inputs): string[] | null {
  if (typeof inputs === "string") return [inputs];
  if (!Array.isArray(inputs)) return null;
  const texts = (inputs as unknown[]).filter((each) => typeof each === "string");
  return texts.length === inputs.length ? texts : null;
}
