/** What the page does and does not do, for who wants to know before or after joining. */

import { build } from "./build.ts";
import { h } from "./dom.ts";

const LINES = [
  "It works only while this page is open. Close it, and nothing of it runs.",
  "Texts of people whom you do not know pass through this phone. It turns each into numbers, sends those back, and " +
    "keeps neither.",
  "The phone’s key is made here and cannot be read out, not even by this page.",
  "It sets no cookies, counts no visits, and speaks to nobody but the network that invited you.",
  "A phone that is locked, closed or out of reach costs nobody anything: its task goes to another device.",
];

/** Make the section, closed. */
export function about(): HTMLElement {
  return h(
    "details",
    { class: "card about" },
    h("summary", {}, h("h2", {}, "What this page does, and does not do")),
    h("ul", {}, ...LINES.map((line) => h("li", {}, line))),
    h("p", { class: "hint" }, `Version ${build}`),
  );
}
