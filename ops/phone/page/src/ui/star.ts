/** The drawing in the middle: a star in a ring, which looks like what the device does. */

import { drawn } from "./dom.ts";

const STAR = "M0-34C3.5-9 9-3.5 34 0C9 3.5 3.5 9 0 34C-3.5 9-9 3.5-34 0C-9-3.5-3.5-9 0-34Z";

/** Draw it; the style sheet moves and colours it by the tone of what is around it. */
export function star(): SVGSVGElement {
  return drawn(
    "svg",
    { class: "star", viewBox: "-80 -80 160 160", "aria-hidden": "true", focusable: "false" },
    drawn("circle", { class: "halo", r: "62" }),
    drawn("circle", { class: "ring", r: "70" }),
    drawn("circle", { class: "arc", r: "70", pathLength: "100" }),
    drawn("path", { class: "core", d: STAR }),
    drawn("g", { class: "bars" }, bar("-13"), bar("5")),
  );
}

function bar(x: string): SVGRectElement {
  return drawn("rect", { x, y: "-15", width: "8", height: "30", rx: "3" });
}
