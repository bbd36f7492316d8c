/** What is seen before this phone is a device: what it is about, and how to join. */

import { about } from "./about.ts";
import { h, sayIf, mark } from "./dom.ts";
import { textField } from "./fields.ts";
import { installCard } from "./install_card.ts";
import type { Actions, Part } from "./part.ts";
import { tokenIn } from "./token.ts";

/** What the owner has typed or scanned; kept, so that a try that failed need not be typed again. */
export interface Draft {
  token: string;
  name: string;
}

const TAKES: readonly (readonly [string, string])[] = [
  ["Processor", "It computes while a task is there. You say when: while charging, or above a battery level."],
  ["91 MB, once", "For a small model, downloaded and stored on this phone. You can remove it at any time."],
  ["A little data", "A few kilobytes for each task. Never on a metered connection, unless you allow it."],
];
const LEAD =
  "StarAI is a network of lent devices that run small AI models for others. This phone can be one of them: join, " +
  "switch it on, and put it aside.";
const NO_TOKEN =
  "That holds no token. One begins with “starai-” and is a single word, or the end of a link. Copy it again, whole.";

/** Make the view. Who was invited by a link finds the button first, others read first what they would join. */
export function newView(actions: Actions, draft: Draft): Part {
  const install = installCard(actions);
  const form = h("section", { class: "card join" }, h("h2", {}, "Join"), joinForm(actions, draft));
  const middle = isInvited(draft) ? [form, takes()] : [takes(), form];
  const rest = h("div", { class: "side" }, install.element, about());
  return { element: h("div", { class: "view new" }, introduction(), ...middle, rest), show: install.show };
}

function isInvited(draft: Draft): boolean {
  return tokenIn(draft.token) !== null;
}

function introduction(): HTMLElement {
  const title = h("h1", { tabindex: "-1" }, "Lend this phone’s spare time");
  return h("section", { class: "intro" }, title, h("p", {}, LEAD));
}

function takes(): HTMLElement {
  const list = TAKES.map(([term, text]) => h("div", {}, h("dt", {}, term), h("dd", {}, text)));
  return h("section", { class: "takes" }, h("h2", {}, "What it takes of your phone"), h("dl", {}, ...list));
}

function joinForm(actions: Actions, draft: Draft): HTMLFormElement {
  const [tokenField, token] = textField("Token or link", {
    spellcheck: "false",
    autocapitalize: "off",
    placeholder: "starai-…",
    maxlength: "8192",
  });
  const [nameField, name] = textField("A name for this phone", { maxlength: "100" });
  const wrong = h("p", { class: "wrong", id: "token-wrong", hidden: true });
  const ready = h("p", { class: "hint", hidden: !isInvited(draft) }, "Your invitation is here. Tap Join.");
  tokenField.append(wrong);
  [token.value, name.value] = [draft.token, draft.name];
  const button = h("button", { type: "submit", class: "main" }, "Join");
  const form = h("form", { novalidate: true }, ready, tokenField, nameField, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    Object.assign(draft, { token: token.value, name: name.value.trim() || draft.name });
    const given = tokenIn(token.value);
    complain(token, wrong, given === null);
    if (given !== null) actions.join(given, draft.name);
  });
  return form;
}

function complain(token: HTMLInputElement, wrong: HTMLElement, isWrong: boolean): void {
  sayIf(wrong, isWrong ? NO_TOKEN : null);
  mark(token, "aria-invalid", isWrong ? "true" : null);
  mark(token, "aria-describedby", isWrong ? wrong.id : null);
  if (isWrong) token.focus();
}
