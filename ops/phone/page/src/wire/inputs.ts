/** What a task asks about (starai/wire.py, starai/generation.py), as a stranger wrote it. */

import { anyOf, type Check, defaulted, flag, list, mapping, number } from "./check.ts";
import { oneOf, optional, record, text, whole } from "./check.ts";
import { DTYPES, type Tensor } from "./tensor.ts";

/** The most texts in one task. */
export const MAX_TEXTS = 4096;

const MAX_MESSAGES = 1000;
const MAX_TENSORS = 64;
const MOST_TOKENS = 32_768;

/** One turn of a conversation. */
export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

/** What a task asks about; a model that makes vectors takes a text or several. */
export type Inputs = string | string[] | ChatMessage[] | Map<string, Tensor>;

/**
 * A task's arguments: what it asks about. generates: whether it says how a text is to be generated. stream: whether its
 * submitter wants the pieces of one as they are made.
 */
export interface Arguments {
  inputs: Inputs;
  generates: boolean;
  stream: boolean;
}

interface Guidance {
  kind: "json_schema" | "regex" | "lark_grammar";
  text: string;
}

/** How a text is to be generated; no model of a phone does, so that it is checked alone. */
interface Options {
  max_tokens: number;
  temperature: number;
  top_p: number;
  top_k: number | null;
  seed: number | null;
  stop: string[];
  guidance: Guidance | null;
}

interface Read extends Omit<Arguments, "generates"> {
  options: Options | null;
}

const CHAT_MESSAGE = record<ChatMessage>({ role: oneOf("system", "user", "assistant"), content: text() });
const TENSOR = record<Tensor>({
  dtype: oneOf<string>(...DTYPES),
  shape: list(whole({ least: 0 }), { most: 8 }),
  data: text(),
});
const INPUTS: Check<Inputs> = anyOf<Inputs>(
  `is neither a text, nor up to ${MAX_TEXTS} texts, nor up to ${MAX_MESSAGES} chat messages, nor arrays by their names`,
  text(),
  list(text(), { most: MAX_TEXTS }),
  list(CHAT_MESSAGE, { most: MAX_MESSAGES }),
  mapping(TENSOR, { least: 1, most: MAX_TENSORS }),
);
const GUIDANCE = record<Guidance>({
  kind: oneOf("json_schema", "regex", "lark_grammar"),
  text: text({ least: 1, most: 64 * 1024 }),
});
const OPTIONS = record<Options>({
  max_tokens: defaulted(whole({ least: 1, most: MOST_TOKENS }), 256),
  temperature: defaulted(number({ least: 0, most: 2 }), 0),
  top_p: defaulted(number({ above: 0, most: 1 }), 1),
  top_k: optional(whole({ least: 1, most: 1000 })),
  seed: optional(whole({ least: 0, most: 2 ** 31 - 1 })),
  stop: defaulted(list(text({ least: 1, most: 100 }), { most: 8 }), []),
  guidance: optional(GUIDANCE),
});

const READ = record<Read>({
  inputs: INPUTS,
  options: optional(OPTIONS),
  stream: defaulted(flag, false),
});

/** A task's arguments. */
export const ARGUMENTS: Check<Arguments> = (value, where) => {
  const { inputs, options, stream } = READ(value, where);
  return { inputs, generates: options !== null, stream };
};
