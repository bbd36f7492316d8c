/** Clocks. */

/** Return seconds on a clock that never goes back. */
export function steady(): number {
  return performance.now() / 1000;
}

/** Return Unix time in seconds, by this device's clock. */
export function unixTime(): number {
  return Date.now() / 1000;
}
