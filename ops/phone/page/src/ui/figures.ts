/** Figures and moments in words. Pure. */

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const DAY_MS = 86_400_000;

/** Say how much a number of bytes is. */
export function size(bytes: number): string {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return bytes < 1e9 ? `${megabytes(bytes)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** Say how many bytes of a total are there; of a total that can be no file, how much of it is done. */
export function sizeOf(done: number, total: number): string {
  if (total < 1e4) return percent(total > 0 ? Math.min(1, done / total) : 0);
  if (total < 1e6) return `${Math.ceil(done / 1e3)} of ${Math.ceil(total / 1e3)} kB`;
  return `${megabytes(done)} of ${megabytes(total)} MB`;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** Say how long something took. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(1, Math.round(ms))} ms`;
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

/** Say a share of one. */
export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Say when a moment is, seen from now: "14:30", "tomorrow, 14:30", "3 June, 14:30". */
export function moment(iso: string, now: Date): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const clock = CLOCK.format(at);
  const days = Math.round((midnight(at) - midnight(now)) / DAY_MS);
  if (days === 0) return clock;
  return days === 1 ? `tomorrow, ${clock}` : `${DATE.format(at)}, ${clock}`;
}

function midnight(at: Date): number {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime();
}

/** Make a sentence of what another part of the program says. */
export function sentence(text: string): string {
  const begun = phrase(text);
  return /[.!?…:]$/.test(begun) ? begun : `${begun}.`;
}

/** Make a line of its own of what another part of the program says; the name of a file or a model stays as it is. */
export function phrase(text: string): string {
  return text.trim().replace(/^[a-z](?=[a-z'’]*[,;:.!?…]?(?: |$))/, (first) => first.toUpperCase());
}
