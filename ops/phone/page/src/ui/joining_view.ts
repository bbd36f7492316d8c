/** What is seen while this phone becomes a device: the steps, and how far the long ones are. */

import { progressBar } from "./bar.ts";
import { h, mark } from "./dom.ts";
import { phrase } from "./figures.ts";
import type { Part } from "./part.ts";
import { star } from "./star.ts";

/** Make the view. */
export function joiningView(): Part {
  const steps = h("ol", { class: "steps" });
  const bar = progressBar("This step");
  const element = h(
    "div",
    { class: "view narrow" },
    h(
      "section",
      { class: "card hero", "data-tone": "moving" },
      star(),
      h("h1", { tabindex: "-1" }, "Joining"),
      h("p", { class: "why" }, "Keep this page open. With a good connection it takes a minute or two."),
      h("div", { class: "going", "aria-live": "polite" }, steps),
      bar.element,
    ),
  );
  const show: Part["show"] = ({ status }) => {
    if (status.step !== null) reach(steps, phrase(status.step));
    bar.show(status.progress, true);
  };
  return { element, show };
}

/** Let a step be the one that goes on. Those before it are done. */
function reach(steps: HTMLOListElement, text: string): void {
  const reached = [...steps.children].find((step) => step.firstChild?.textContent === text);
  if (reached !== undefined && reached === steps.lastElementChild) return;
  reached?.remove();
  for (const step of steps.children) finish(step);
  steps.append(h("li", { "aria-current": "step" }, h("span", {}, text)));
}

function finish(step: Element): void {
  if (!step.hasAttribute("aria-current")) return;
  mark(step, "aria-current", null);
  step.append(h("span", { class: "unseen" }, " Done."));
}
