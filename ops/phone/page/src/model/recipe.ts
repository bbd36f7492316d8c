/** What a `tokenizer.json` says, as far as the tokenizers of BERT and its kin go; anything else is refused. */

import { ModelError } from "../errors.ts";

/** How a text becomes tokens. */
export interface Recipe {
  vocabulary: Map<string, number>;
  unknown: number;
  /** Stands before a part of a word that is not its beginning. */
  continuing: string;
  /** A word of more characters is unknown. */
  mostCharacters: number;
  /** Texts that are one token wherever they stand. */
  special: Map<string, number>;
  /** Tokens at the text's beginning and end. */
  before: number[];
  after: number[];
}

/** The file's form, where it is of this kind: its checksum says that it is what it was. */
interface Json {
  added_tokens: Added[];
  normalizer: Normalizer | null;
  pre_tokenizer: { type: string } | null;
  post_processor: { type: string; single: Part[]; special_tokens: Record<string, { ids: number[] }> } | null;
  model: Model;
}

interface Added {
  id: number;
  content: string;
  single_word: boolean;
  lstrip: boolean;
  rstrip: boolean;
  normalized: boolean;
}

interface Normalizer {
  type: string;
  clean_text: boolean;
  handle_chinese_chars: boolean;
  strip_accents: boolean | null;
  lowercase: boolean;
}

interface Model {
  type: string;
  unk_token: string;
  continuing_subword_prefix: string;
  max_input_chars_per_word: number;
  vocab: Record<string, number>;
}

type Part = { SpecialToken: { id: string } } | { Sequence: { id: string } };

/**
 * Read a tokenizer's file.
 *
 * @throws ModelError it is a tokenizer of another kind.
 */
export function readRecipe(text: string): Recipe {
  const json = JSON.parse(text) as Json;
  requireKind(json);
  const [before, after] = ends(json);
  const { model } = json;
  const vocabulary = new Map(Object.entries(model.vocab));
  const special = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
  const unknown = vocabulary.get(model.unk_token);
  if (unknown === undefined) throw otherKind("unknown words");
  const { continuing_subword_prefix: continuing, max_input_chars_per_word: mostCharacters } = model;
  return { vocabulary, unknown, continuing, mostCharacters, special, before, after };
}

function requireKind({ normalizer, pre_tokenizer, model, added_tokens }: Json): void {
  const isPlain = normalizer?.clean_text && normalizer.handle_chinese_chars && normalizer.lowercase;
  if (normalizer?.type !== "BertNormalizer" || !isPlain || normalizer.strip_accents === false) {
    throw otherKind("normalizer");
  }
  if (pre_tokenizer?.type !== "BertPreTokenizer") throw otherKind("pre_tokenizer");
  if (model.type !== "WordPiece") throw otherKind("model");
  const areLiteral = added_tokens.every((one) => !(one.single_word || one.lstrip || one.rstrip || one.normalized));
  if (!areLiteral) throw otherKind("added_tokens");
}

/** The tokens before and after a text's own. */
function ends({ post_processor: processor }: Json): [number[], number[]] {
  if (processor?.type !== "TemplateProcessing") throw otherKind("post_processor");
  const place = processor.single.findIndex((part) => "Sequence" in part);
  const idsOf = (part: Part) =>
    "SpecialToken" in part ? (processor.special_tokens[part.SpecialToken.id]?.ids ?? []) : [];
  const ids = (parts: Part[]) => parts.flatMap(idsOf);
  return [ids(processor.single.slice(0, place)), ids(processor.single.slice(place + 1))];
}

function otherKind(what: string): ModelError {
  return new ModelError(`The model's tokenizer is of a kind that this page does not know: ${what}. Load it anew.`);
}
