/** Waiting. */

/** Wait that many seconds; rejects at once when `stopped` is aborted. */
export function sleep(seconds: number, stopped?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      reject(stopped?.reason);
    };
    const timer = setTimeout(() => {
      stopped?.removeEventListener("abort", end);
      resolve();
    }, 1000 * seconds);
    if (stopped?.aborted) end();
    else stopped?.addEventListener("abort", end, { once: true });
  });
}
