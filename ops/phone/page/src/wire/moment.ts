/** Moments as texts (ISO 8601), read the same in every browser. */

const DATE = /(\d{4})-(\d{2})-(\d{2})/;
const TIME = /(\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?/;
const ZONE = /(Z|([+-])(\d{2}):?(\d{2})(?::?(\d{2}))?)/;
const FORM = new RegExp(`^${DATE.source}[T ]${TIME.source}${ZONE.source}?$`);

/** Why a text is no moment. */
export type NoMoment = "no time" | "no time zone";

/** Return the moment in Unix time in seconds, or why the text is none. */
export function momentOf(text: string): number | NoMoment {
  const found = FORM.exec(text);
  if (!found) return "no time";
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as Six;
  if (hour > 23 || minute > 59 || second > 59) return "no time";
  const day0 = new Date(Date.UTC(year, month - 1, day));
  // A day that is none, as the 30th of February, would become another.
  if (day0.getUTCMonth() !== month - 1 || day0.getUTCDate() !== day) return "no time";
  if (found[8] === undefined) return "no time zone";
  const fraction = Number(`0.${found[7] ?? "0"}`);
  return day0.getTime() / 1000 + 3600 * hour + 60 * minute + second + fraction - offset(found);
}

type Six = [number, number, number, number, number, number];

function offset(found: RegExpExecArray): number {
  const [hours, minutes, seconds] = [found[10], found[11], found[12]].map((part) => Number(part ?? 0));
  const size = 3600 * (hours ?? 0) + 60 * (minutes ?? 0) + (seconds ?? 0);
  return found[9] === "-" ? -size : size;
}
