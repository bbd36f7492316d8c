/** A text's words, as BERT's tokenizers see them: the same ones on every phone, whatever Unicode its browser knows. */

import { CHINESE, CONTROL, MARK, PUNCTUATION, SPACE } from "./characters.ts";

const DROPPED = new RegExp(`[${CONTROL}]`, "gu");
const SPACES = new RegExp(`[${SPACE}]`, "gu");
const IDEOGRAPHS = new RegExp(`[${CHINESE}]`, "gu");
const ACCENTS = new RegExp(`[${MARK}]`, "gu");
const WORD = new RegExp(`[${PUNCTUATION}]|[^ ${PUNCTUATION}]+`, "gu");

/** Return the words of a text in their order; each punctuation mark and each Chinese character is one. */
export function* words(text: string): Generator<string> {
  for (const [word] of normalized(text).matchAll(WORD)) yield word;
}

/** Return a text without control characters and accents, in lower case, Chinese characters between spaces. */
export function normalized(text: string): string {
  const clean = text.replace(DROPPED, "").replace(SPACES, " ").replace(IDEOGRAPHS, " $& ");
  const plain = clean.normalize("NFD").replace(ACCENTS, "");
  // Character by character, as the models were trained: a sigma is the same at a word's end.
  return plain.replaceAll("Σ", "σ").toLowerCase();
}
