/** Tasks done since midnight, from a count that only grows. Pure but for the storage that it is given. */

const KEY = "starai.today";

interface Kept {
  day: string;
  /** The count when the day began. */
  from: number;
}

/** Say how many of `done` are of today, and remember where today began. */
export function doneToday(done: number, now: Date, storage: Pick<Storage, "getItem" | "setItem">): number {
  const day = `${now.getFullYear()}-${now.getMonth() + 1}-${now.getDate()}`;
  const kept = read(storage.getItem(KEY));
  if (kept?.day === day && kept.from <= done) return done - kept.from;
  const from = kept?.day === day ? 0 : done;
  storage.setItem(KEY, JSON.stringify({ day, from } satisfies Kept));
  return done - from;
}

function read(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return isKept(value) ? value : null;
  } catch {
    return null; // Another hand wrote there: the day begins anew.
  }
}

function isKept(value: unknown): value is Kept {
  if (typeof value !== "object" || value === null) return false;
  return "day" in value && typeof value.day === "string" && "from" in value && typeof value.from === "number";
}
