/** How to put the page on the home screen. */

import { h, reveal, say } from "./dom.ts";
import type { Actions, Part } from "./part.ts";

const OFFER = "As an app it opens from your home screen, full screen, and the browser keeps its data.";
const IOS =
  "In Safari tap Share, then “Add to Home Screen”. The app keeps its own data, so join there: open it and paste " +
  "your link. Safari forgets a page that it has not seen for a week; it does not forget an app.";

/** Make the section; it is hidden where there is nothing to install. */
export function installCard(actions: Actions): Part {
  const text = h("p");
  const button = h("button", { type: "button", class: "plain" }, "Install");
  button.addEventListener("click", () => actions.install());
  const element = h("section", { class: "card", hidden: true }, h("h2", {}, "Keep it as an app"), text, button);
  return {
    element,
    show: ({ install }) => {
      reveal(element, install !== "none");
      reveal(button, install === "button");
      say(text, install === "ios" ? IOS : OFFER);
    },
  };
}
