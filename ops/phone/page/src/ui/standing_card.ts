/** How the network thinks of this phone. */

import { h, mark, say } from "./dom.ts";
import type { Part } from "./part.ts";
import { standingWords } from "./standing_words.ts";

/** Make the section; `data-state` is the state as the platform says it. */
export function standingCard(): Part {
  const title = h("p", { class: "title" });
  const details = h("div");
  const body = h("div", { id: "standing" }, title, details);
  const show: Part["show"] = ({ status: { standing } }) => {
    const words = standingWords(standing, new Date());
    mark(body, "data-state", standing?.state ?? "unasked");
    mark(body, "data-band", words.band);
    say(title, words.title);
    sayLines(details, words.details);
  };
  return { element: h("section", { class: "card" }, h("h2", {}, "Standing"), body), show };
}

function sayLines(element: HTMLElement, lines: string[]): void {
  if ([...element.children].map((line) => line.textContent).join("\n") === lines.join("\n")) return;
  element.replaceChildren(...lines.map((line) => h("p", {}, line)));
}
