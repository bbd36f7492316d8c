/** How to leave the network; a dialog asks once more. */

import { h } from "./dom.ts";
import type { Actions, Part } from "./part.ts";

/** Make the section. */
export function leaveCard(actions: Actions): Part {
  const dialog = leaveDialog(() => actions.leave());
  const button = h("button", { type: "button", class: "plain danger" }, "Leave the network");
  button.addEventListener("click", () => dialog.showModal());
  const element = h(
    "section",
    { class: "card" },
    h("h2", {}, "Leave"),
    h("p", {}, "You may leave at any time. It is never held against you."),
    button,
    dialog,
  );
  return { element, show: () => undefined };
}

function leaveDialog(leave: () => void): HTMLDialogElement {
  const stay = h("button", { type: "button", class: "plain", autofocus: true }, "Stay");
  const go = h("button", { type: "button", class: "plain danger" }, "Leave");
  const dialog = h(
    "dialog",
    { "aria-labelledby": "leave-title", "aria-describedby": "leave-text" },
    h("h2", { id: "leave-title" }, "Leave the network?"),
    h(
      "p",
      { id: "leave-text" },
      "Tasks that this phone has go to other devices. Its key, its model and its settings are removed from it. " +
        "To come back you need a new token.",
    ),
    h("div", { class: "buttons" }, stay, go),
  );
  stay.addEventListener("click", () => dialog.close());
  go.addEventListener("click", () => {
    dialog.close();
    leave();
  });
  return dialog;
}
