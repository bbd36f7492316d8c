/** The join token in what an owner pastes or scans. Pure. */

const TOKEN = /starai-[A-Za-z0-9_-]+/;

/** Find the token in a link or a text; spaces and line breaks in it do not matter. */
export function tokenIn(text: string): string | null {
  return TOKEN.exec(text.replace(/\s+/g, ""))?.[0] ?? null;
}

/** Find the token that a page was opened with. */
export function tokenOfFragment(hash: string): string | null {
  return hash.startsWith("#starai-") ? tokenIn(hash) : null;
}
