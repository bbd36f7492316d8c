/** What is seen: one view for each phase, made when the phase begins. */

import type { Status } from "../contract.ts";
import { complain } from "./complaint.ts";
import { found, sayIf } from "./dom.ts";
import { joinedView } from "./joined_view.ts";
import { joiningView } from "./joining_view.ts";
import { type Draft, newView } from "./new_view.ts";
import type { Actions, Part, Seen } from "./part.ts";

export class View {
  #actions: Actions;
  #draft: Draft;
  #part: Part | null = null;
  #phase: Status["phase"] | null = null;

  constructor(actions: Actions, draft: Draft) {
    this.#actions = actions;
    this.#draft = draft;
  }

  /** Show all of it. */
  show(seen: Seen): void {
    const { phase, error } = seen.status;
    if (phase !== this.#phase) this.#begin(seen);
    this.#part?.show(seen);
    complain(found("error"), phase, error);
    sayIf(found("notice"), seen.notice);
  }

  /** Make the view of this phase anew, as for a token that came meanwhile. */
  renew(seen: Seen): void {
    this.#phase = null;
    this.show(seen);
  }

  #begin(seen: Seen): void {
    const isFirst = this.#phase === null;
    this.#phase = seen.status.phase;
    this.#part = this.#make(seen);
    found("app").replaceChildren(this.#part.element);
    if (isFirst) return;
    // Who does not see the page is to hear that it is another one now.
    scrollTo(0, 0);
    this.#part.element.querySelector("h1")?.focus();
  }

  #make(seen: Seen): Part {
    if (seen.status.phase === "new") return newView(this.#actions, this.#draft);
    return seen.status.phase === "joining" ? joiningView() : joinedView(this.#actions, seen);
  }
}
