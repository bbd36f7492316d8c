/** The tokenizer of BERT and its kin: what a text is to the model, number by number, exactly as on other devices. */

import { ModelError } from "../errors.ts";
import { type Recipe, readRecipe } from "./recipe.ts";
import { words } from "./words.ts";

/** Makes tokens of texts. */
export class Tokenizer {
  readonly #recipe: Recipe;
  readonly #longest: number;
  readonly #special: RegExp;

  /**
   * @param json the text of `tokenizer.json`; its own padding and truncation are not used.
   * @param longest tokens that a text may have, those at its ends included; what is beyond is cut off.
   * @throws ModelError it is a tokenizer of another kind.
   */
  constructor(json: string, longest: number) {
    this.#recipe = readRecipe(json);
    this.#longest = longest;
    this.#special = splitter([...this.#recipe.special.keys()]);
    if (longest <= this.#recipe.before.length + this.#recipe.after.length) {
      throw new ModelError(`The model takes ${longest} tokens at a time, which leaves none for a text.`);
    }
  }

  /** Return the tokens' numbers. */
  encode(text: string): number[] {
    const { before, after } = this.#recipe;
    const room = this.#longest - before.length - after.length;
    const ids: number[] = [];
    for (const part of this.#parts(text)) {
      ids.push(...part);
      if (ids.length >= room) break; // whatever follows is cut off
    }
    return [...before, ...ids.slice(0, room), ...after];
  }

  *#parts(text: string): Generator<number[]> {
    for (const piece of text.split(this.#special)) {
      const special = this.#recipe.special.get(piece);
      if (special !== undefined) yield [special];
      else for (const word of words(piece)) yield this.#word(word);
    }
  }

  #word(word: string): number[] {
    const { unknown, mostCharacters } = this.#recipe;
    const characters = [...word];
    if (characters.length > mostCharacters) return [unknown];
    const ids: number[] = [];
    for (let begin = 0; begin < characters.length; ) {
      const found = this.#longestFrom(characters, begin);
      if (!found) return [unknown];
      ids.push(found.id);
      begin = found.end;
    }
    return ids;
  }

  #longestFrom(characters: string[], begin: number): { id: number; end: number } | null {
    const prefix = begin ? this.#recipe.continuing : "";
    for (let end = characters.length; end > begin; end--) {
      const id = this.#recipe.vocabulary.get(prefix + characters.slice(begin, end).join(""));
      if (id !== undefined) return { id, end };
    }
    return null;
  }
}

/** A pattern that cuts these texts out of another and keeps them, the longest that fits. */
function splitter(special: string[]): RegExp {
  if (!special.length) return /(?!)/;
  const longestFirst = special.sort((a, b) => b.length - a.length);
  return new RegExp(`(${longestFirst.map((text) => text.replace(/[^\p{L}\p{N}]/gu, "\\$&")).join("|")})`);
}
