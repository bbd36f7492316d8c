/** Progress that is told as often as anybody can see it. */

import type { OnProgress } from "../contract.ts";

const EVERY = 100;

/** Return a listener that is told at most every tenth of a second, and of the end in any case. */
export function throttled(onProgress: OnProgress): OnProgress {
  let told = -Infinity;
  return (progress) => {
    if (progress.done < progress.total && performance.now() - told < EVERY) return;
    told = performance.now();
    onProgress(progress);
  };
}
