/** Events with keys that stay the same, for whoever looks into the browser's console. No secret is ever a detail. */

type Detail = string | number | boolean | null | undefined;
type Details = Record<string, Detail>;

export const log = {
  info(event: string, details: Details = {}): void {
    console.info(event, details);
  },
  warn(event: string, details: Details = {}): void {
    console.warn(event, details);
  },
  error(event: string, details: Details = {}): void {
    console.error(event, details);
  },
};
