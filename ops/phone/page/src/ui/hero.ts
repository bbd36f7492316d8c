/** The middle of it all: who this phone is, what it does now, the switch, and what it has done. */

import type { Doing, Status } from "../contract.ts";
import { progressBar } from "./bar.ts";
import { doingWords, tone } from "./doing_words.ts";
import { h, mark, say, sayIf } from "./dom.ts";
import { duration } from "./figures.ts";
import type { Actions, Part, Seen } from "./part.ts";
import { regionWords } from "./phone_words.ts";
import { star } from "./star.ts";

/** Milliseconds for which a task is shown after its end: many short ones are to look calm. */
const AFTERGLOW = 1000;

/** Make it. */
export function hero(actions: Actions): Part {
  const name = h("h1", { tabindex: "-1" });
  const identity = h("p", { class: "identity" });
  const bar = progressBar("Fetching the model");
  const element = h("section", { class: "card hero" });
  const [now, button, counts] = [doingLine(element), switchButton(actions), figures()];
  element.append(name, identity, star(), now.element, bar.element, button.element, counts.element);
  const show = (seen: Seen): void => {
    say(name, seen.name ?? "This phone");
    say(identity, identityWords(seen.status));
    bar.show(seen.status.progress);
    for (const part of [now, button, counts]) part.show(seen);
  };
  return { element, show };
}

function identityWords(status: Status): string {
  const region = status.region === null ? null : regionWords(status.region);
  return [region, status.device].filter((part) => part !== null).join(" · ");
}

function doingLine(around: HTMLElement): Part {
  const title = h("p", { id: "doing", "aria-live": "polite" });
  const why = h("p", { class: "why" });
  let shown: Doing | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = (seen: Seen, doing: Doing): void => {
    const words = doingWords(seen.status, seen.surroundings, doing);
    // Task after task would be read out without an end.
    mark(title, "aria-live", isServing(shown) && isServing(doing) ? "off" : "polite");
    mark(around, "data-tone", tone(doing));
    mark(around, "data-busy", doing === "working");
    say(title, words.title);
    say(why, words.detail);
    shown = doing;
  };
  const show = (seen: Seen): void => {
    const { doing } = seen.status;
    mark(title, "data-doing", doing);
    clearTimeout(timer);
    if (shown === "working" && doing === "waiting") timer = setTimeout(() => tell(seen, doing), AFTERGLOW);
    else tell(seen, doing);
  };
  return { element: h("div", { class: "now" }, title, why), show };
}

function isServing(doing: Doing | null): boolean {
  return doing === "waiting" || doing === "working";
}

function switchButton(actions: Actions): Part {
  const state = h("span", { class: "state", "aria-hidden": "true" });
  const track = h("span", { class: "track", "aria-hidden": "true" });
  const label = h("span", { class: "label" }, "Serve tasks", state);
  const button = h("button", { type: "button", role: "switch", class: "switch" }, label, track);
  let on = false;
  button.addEventListener("click", () => actions.serve(!on));
  const show = ({ status }: Seen): void => {
    on = status.on;
    mark(button, "aria-checked", String(on));
    say(state, on ? "On" : "Off");
  };
  return { element: button, show };
}

function figures(): Part {
  const [done, today, last] = [h("dd", { id: "done" }), h("dd", { id: "today" }), h("dd", { id: "last" })];
  const failed = h("p", { class: "hint" });
  const tiles = [figure("Tasks done", done), figure("Today", today), figure("Last task", last)];
  const list = h("dl", { class: "figures-row" }, ...tiles);
  const show = ({ status, today: count }: Seen): void => {
    say(done, String(status.done));
    say(today, String(count));
    say(last, status.lastTaskMs === null ? "–" : duration(status.lastTaskMs));
    sayIf(failed, failedWords(status.failed));
  };
  return { element: h("div", {}, list, failed), show };
}

function failedWords(failed: number): string | null {
  if (failed === 0) return null;
  return failed === 1 ? "1 task failed here." : `${failed} tasks failed here.`;
}

function figure(term: string, value: HTMLElement): HTMLElement {
  return h("div", {}, h("dt", {}, term), value);
}
