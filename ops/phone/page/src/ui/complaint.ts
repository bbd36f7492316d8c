/** What went wrong, where nobody overlooks it. */

import type { Status } from "../contract.ts";
import { h, reveal } from "./dom.ts";
import { sentence } from "./figures.ts";

const TITLES: Readonly<Record<Status["phase"], string>> = {
  new: "That did not work",
  joining: "Joining does not go on",
  joined: "Something is wrong",
};

/** Show an error, or that there is none (any more). */
export function complain(box: HTMLElement, phase: Status["phase"], error: string | null): void {
  const told = error === null ? "" : `${TITLES[phase]} ${sentence(error)}`;
  reveal(box, error !== null);
  if (box.textContent === told) return;
  box.replaceChildren(...(error === null ? [] : [h("strong", {}, TITLES[phase]), " ", h("span", {}, sentence(error))]));
}

/** Show that the page itself cannot go on; only loading it again helps. */
export function complainForGood(box: HTMLElement, message: string): void {
  const again = h("button", { type: "button", class: "plain" }, "Load the page again");
  again.addEventListener("click", () => location.reload());
  reveal(box, true);
  box.replaceChildren(h("strong", {}, "The page has stopped"), " ", h("span", {}, sentence(message)), again);
}
