/** Small helpers that build and change what is seen. Text is always text: nothing here takes HTML. */

export type Child = Node | string | null;
export type Attributes = Readonly<Record<string, string | boolean | null>>;

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `true` is an attribute without a value, `false` and `null` are none. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  return filled(document.createElement(tag), attributes, children);
}

/** Make an element of a drawing. */
export function drawn<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[Tag] {
  return filled(document.createElementNS(SVG, tag) as SVGElementTagNameMap[Tag], attributes, children);
}

function filled<Made extends Element>(element: Made, attributes: Attributes, children: Child[]): Made {
  for (const [name, value] of Object.entries(attributes)) mark(element, name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Let an element say a text. One that says it already is left alone, so that no screen reader repeats it. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Set an attribute, or take it away. */
export function mark(element: Element, name: string, value: string | boolean | null): void {
  if (value === null || value === false) return element.removeAttribute(name);
  const text = value === true ? "" : value;
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

/** Show an element or hide it, from everybody. */
export function reveal(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Let an element say a text, or hide it where there is none. */
export function sayIf(element: HTMLElement, text: string | null): void {
  say(element, text ?? "");
  reveal(element, text !== null);
}

/** Find an element that the page's HTML has. */
export function found(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`The page has no element ${id}: its HTML and its program are of two builds.`);
  return element;
}
