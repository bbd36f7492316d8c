/** Fields of a form with their labels. Each says what it is for, and tells of what the owner does with it. */

import { type Attributes, h, mark, say, sayIf } from "./dom.ts";

let made = 0;

export interface Field<Value> {
  element: HTMLElement;
  /** Show a value, unless it is shown already. */
  set(value: Value): void;
  /** A line below, for what there is to say of it. */
  hint(text: string | null): void;
  enable(enabled: boolean): void;
}

/** A field that is on or off. */
export function checkbox(label: string, changed: (on: boolean) => void): Field<boolean> {
  const input = h("input", { type: "checkbox", id: freshId() });
  input.addEventListener("change", () => changed(input.checked));
  const row = h("div", { class: "row" }, h("label", { for: input.id }, label), input);
  return {
    ...framed(row, input),
    set: (on) => {
      input.checked = on;
    },
  };
}

/** A field for one of some numbers, each with its words. */
export function choice(
  label: string,
  options: readonly number[],
  words: (value: number) => string,
  changed: (value: number) => void,
): Field<number> {
  const select = h("select", { id: freshId() });
  const add = (value: number): void => select.append(h("option", { value: String(value) }, words(value)));
  options.forEach(add);
  select.addEventListener("change", () => changed(Number(select.value)));
  const row = h("div", { class: "row" }, h("label", { for: select.id }, label), select);
  return {
    ...framed(row, select),
    set: (value) => {
      if (![...select.options].some((option) => option.value === String(value))) add(value);
      if (select.value !== String(value)) select.value = String(value);
    },
  };
}

/** A field for a share of one, in steps of 5 %. */
export function slider(label: string, changed: (share: number) => void): Field<number> {
  const input = h("input", { type: "range", id: freshId(), min: "0", max: "95", step: "5" });
  const output = h("output", { for: input.id });
  const tell = (): void => {
    say(output, `${input.value} %`);
    mark(input, "aria-valuetext", `${input.value} %`);
  };
  input.addEventListener("input", tell);
  input.addEventListener("change", () => changed(Number(input.value) / 100));
  const row = h("div", { class: "row wide" }, h("label", { for: input.id }, label), output, input);
  return {
    ...framed(row, input),
    set: (share) => {
      input.value = String(Math.round(share * 100));
      tell();
    },
  };
}

/** A field for a line of text. */
export function textField(label: string, attributes: Attributes): [HTMLElement, HTMLInputElement] {
  const input = h("input", { type: "text", id: freshId(), autocomplete: "off", ...attributes });
  return [h("div", { class: "field" }, h("label", { for: input.id }, label), input), input];
}

function framed(row: HTMLElement, control: HTMLInputElement | HTMLSelectElement): Omit<Field<never>, "set"> {
  const line = h("p", { class: "hint", id: freshId(), hidden: true });
  return {
    element: h("div", { class: "setting" }, row, line),
    hint: (text) => {
      sayIf(line, text);
      mark(control, "aria-describedby", text === null ? null : line.id);
    },
    enable: (enabled) => {
      if (control.disabled === enabled) control.disabled = !enabled;
    },
  };
}

function freshId(): string {
  made += 1;
  return `field-${made}`;
}
