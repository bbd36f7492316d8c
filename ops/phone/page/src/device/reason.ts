/** What went wrong, in words. */

/** Return the message of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

/** Return a text as the platform takes it from a device: one line of at most 200 characters that print. */
export function plain(text: string): string {
  const printable = text.replace(/[\p{C}\p{Z}\s]+/gu, " ").trim();
  return Array.from(printable).slice(0, 200).join("");
}
