/** A progress bar with its figures. */

import type { Progress } from "../contract.ts";
import { h, mark, reveal, say } from "./dom.ts";
import { sizeOf } from "./figures.ts";

export interface Bar {
  element: HTMLElement;
  /** Show how far it is; `null`: hide it, or let it run without an end where `always`. */
  show(progress: Progress | null, always?: boolean): void;
}

/** Make one for something that is fetched. */
export function progressBar(label: string): Bar {
  const bar = h("progress", { "aria-label": label });
  const figures = h("p", { class: "figures" });
  const element = h("div", { class: "progress", hidden: true }, bar, figures);
  const show = (progress: Progress | null, always = false): void => {
    reveal(element, progress !== null || always);
    const told = progress === null ? null : sizeOf(progress.done, progress.total);
    mark(bar, "max", progress && String(Math.max(1, progress.total)));
    mark(bar, "value", progress && String(progress.done));
    mark(bar, "aria-valuetext", told);
    say(figures, told ?? "");
  };
  return { element, show };
}
