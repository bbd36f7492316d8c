/** The models on this phone. */

import type { ModelStatus } from "../contract.ts";
import { h, reveal, say, sayIf } from "./dom.ts";
import { sentence, size } from "./figures.ts";
import type { Actions, Part } from "./part.ts";

/** Make the section. */
export function modelCard(actions: Actions): Part {
  const list = h("div", { class: "models" });
  const lines = new Map<string, ModelLine>();
  const remove = h("button", { type: "button", class: "plain" }, "Remove the model");
  const hint = h("p", { class: "hint" }, "That frees the storage. It is fetched again when you switch the phone on.");
  remove.addEventListener("click", () => actions.removeModels());
  const show: Part["show"] = ({ status: { models, progress } }) => {
    for (const name of [...lines.keys()].filter((known) => !models.some((model) => model.name === known))) {
      lines.get(name)?.element.remove();
      lines.delete(name);
    }
    for (const model of models) lineOf(model, lines, list).show(model, progress !== null);
    const stored = models.some((model) => model.stored);
    for (const element of [remove, hint]) reveal(element, stored);
  };
  return { element: h("section", { class: "card" }, h("h2", {}, "Model"), list, remove, hint), show };
}

interface ModelLine {
  element: HTMLElement;
  show(model: ModelStatus, isFetching: boolean): void;
}

function lineOf(model: ModelStatus, lines: Map<string, ModelLine>, list: HTMLElement): ModelLine {
  const known = lines.get(model.name);
  if (known !== undefined) return known;
  const made = modelLine(model.name);
  lines.set(model.name, made);
  list.append(made.element);
  return made;
}

function modelLine(name: string): ModelLine {
  const [state, fault] = [h("p", { class: "hint" }), h("p", { class: "wrong", hidden: true })];
  const show = (model: ModelStatus, isFetching: boolean): void => {
    say(state, `${size(model.bytes)}, ${place(model, isFetching)}`);
    sayIf(fault, model.fault === null ? null : sentence(model.fault));
  };
  return { element: h("div", {}, h("p", { class: "title" }, name), state, fault), show };
}

function place(model: ModelStatus, isFetching: boolean): string {
  if (model.stored) return "stored on this phone";
  return isFetching ? "being fetched" : "not on this phone";
}
