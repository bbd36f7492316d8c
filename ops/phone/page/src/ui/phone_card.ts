/** The phone's battery and network; where the browser does not tell, its owner does. */

import type { Preferences } from "../contract.ts";
import { h, reveal, sayIf } from "./dom.ts";
import { checkbox, type Field } from "./fields.ts";
import type { Part, Seen } from "./part.ts";
import { batteryWords, networkWords } from "./phone_words.ts";

const UNTOLD_BATTERY = "Your browser does not tell: say it here. Switch it off when you unplug the phone.";
const UNTOLD_NETWORK = "Your browser does not tell whether it is metered: say it here.";

/** Make the section. */
export function phoneCard(change: (part: Partial<Preferences>) => void): Part {
  const powered = checkbox("It is plugged in", (on) => change({ ownerSaysPowered: on }));
  const unmetered = checkbox("This connection is not metered", (on) => change({ ownerSaysUnmetered: on }));
  const [battery, network] = [line("Battery", UNTOLD_BATTERY, powered), line("Network", UNTOLD_NETWORK, unmetered)];
  const show = ({ surroundings, status: { preferences } }: Seen): void => {
    battery.show(batteryWords(surroundings), surroundings.charging === null);
    network.show(networkWords(surroundings), surroundings.online && surroundings.metered === null);
    powered.set(preferences.ownerSaysPowered);
    unmetered.set(preferences.ownerSaysUnmetered);
  };
  const element = h("section", { class: "card" }, h("h2", {}, "Battery and network"), battery.element, network.element);
  return { element, show };
}

interface Line {
  element: HTMLElement;
  show(told: string | null, ask: boolean): void;
}

function line(term: string, untold: string, owner: Field<boolean>): Line {
  const value = h("span", { class: "value" });
  const unknown = h("p", { class: "hint" }, untold);
  const heading = h("p", { class: "row" }, h("span", {}, term), value);
  const show = (told: string | null, ask: boolean): void => {
    sayIf(value, told);
    reveal(unknown, ask);
    reveal(owner.element, ask);
  };
  return { element: h("div", { class: "line" }, heading, unknown, owner.element), show };
}
