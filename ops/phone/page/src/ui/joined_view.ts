/** What is seen once this phone is a device. */

import type { Preferences } from "../contract.ts";
import { about } from "./about.ts";
import { h } from "./dom.ts";
import { hero } from "./hero.ts";
import { installCard } from "./install_card.ts";
import { leaveCard } from "./leave_card.ts";
import { modelCard } from "./model_card.ts";
import type { Actions, Part, Seen } from "./part.ts";
import { phoneCard } from "./phone_card.ts";
import { preferencesCard } from "./preferences_card.ts";
import { standingCard } from "./standing_card.ts";

/** Make the view. */
export function joinedView(actions: Actions, first: Seen): Part {
  let known = first.status.preferences;
  const change = (part: Partial<Preferences>): void => {
    known = { ...known, ...part };
    actions.prefer(known);
  };
  const middle = hero(actions);
  const leave = leaveCard(actions);
  const cards = [
    phoneCard(change),
    standingCard(),
    preferencesCard(change),
    modelCard(actions),
    installCard(actions),
  ];
  const side = h("div", { class: "side" }, ...cards.map((card) => card.element), about(), leave.element);
  const show = (seen: Seen): void => {
    known = seen.status.preferences;
    for (const part of [middle, ...cards, leave]) part.show(seen);
  };
  return { element: h("div", { class: "view joined" }, middle.element, side), show };
}
