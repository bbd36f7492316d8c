/** What is seen where a browser lacks what the page needs. */

import { about } from "./about.ts";
import { h } from "./dom.ts";
import type { Lack } from "./needs.ts";

/** Say what is missing, and what to do about each. */
export function lackingView(lacks: Lack[]): HTMLElement {
  return h(
    "div",
    { class: "view narrow", id: "lacking" },
    h(
      "section",
      { class: "card" },
      h("h1", { tabindex: "-1" }, "This browser cannot join yet"),
      ...lacks.map((lack) => h("p", {}, h("strong", {}, lack.what), " ", lack.fix)),
    ),
    about(),
  );
}
