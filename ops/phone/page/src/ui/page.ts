/** The page: starts the device, shows what it says, and passes on what its owner wishes. */

import type { Ask, Preferences, Status } from "../contract.ts";
import { complainForGood } from "./complaint.ts";
import { type AskDevice, startDevice } from "./device_link.ts";
import { found } from "./dom.ts";
import { Install } from "./install.ts";
import { lackingView } from "./lacking_view.ts";
import { browserHas, lacks } from "./needs.ts";
import type { Draft } from "./new_view.ts";
import type { Actions, Seen } from "./part.ts";
import { suggestedName } from "./suggestion.ts";
import { Watch } from "./surroundings.ts";
import { doneToday } from "./tally.ts";
import { tokenOfFragment } from "./token.ts";
import { View } from "./view.ts";
import { Wake } from "./wake.ts";

const NAME = "starai.name";
const JOINED_ALREADY = "This phone is a device already. To join with another token, leave the network first.";

class Page implements Actions {
  #draft: Draft;
  #view: View;
  #watch = new Watch(() => this.#looked());
  #wake = new Wake(() => this.#show());
  #install = new Install(() => this.#show());
  #status: Status | null = null;
  #isJoining = false;
  /** What the owner prefers, until the device has taken it in: an older status is not to undo it. */
  #wished: Preferences | null = null;
  #ask: AskDevice;

  constructor(token: string | null) {
    const name = localStorage.getItem(NAME) ?? suggestedName(navigator.userAgent);
    this.#draft = { token: token ?? "", name };
    this.#view = new View(this, this.#draft);
    this.#ask = startDevice((status) => this.#take(status), (why) => complainForGood(found("error"), why));
    this.#looked();
    void this.#watch.findBattery();
    window.addEventListener("hashchange", () => this.#scanned());
  }

  join(token: string, name: string): void {
    this.#isJoining = true;
    localStorage.setItem(NAME, name);
    this.#ask({ type: "join", token, name });
    // Asks the browser not to drop the model and the key when storage gets tight; it may say no.
    void navigator.storage?.persist?.();
  }

  serve(on: boolean): void {
    this.#ask({ type: "switch", on });
  }

  prefer(preferences: Preferences): void {
    this.#wished = preferences;
    this.#ask({ type: "preferences", preferences });
    this.#show();
  }

  removeModels(): void {
    this.#ask({ type: "removeModels" });
  }

  leave(): void {
    this.#draft.token = "";
    this.#ask({ type: "leave" });
  }

  install(): void {
    void this.#install.accept();
  }

  #take(status: Status): void {
    if (status.phase === "joined" && this.#isJoining) this.#endJoining();
    if (this.#wished !== null && isSame(this.#wished, status.preferences)) this.#wished = null;
    this.#status = status;
    this.#wake.want(status.phase === "joined" && status.on && status.preferences.keepAwake);
    this.#show();
  }

  /** The token has done what it was for. */
  #endJoining(): void {
    this.#isJoining = false;
    this.#draft.token = "";
  }

  #looked(): void {
    this.#ask({ type: "surroundings", surroundings: this.#watch.now } satisfies Ask);
    this.#show();
  }

  #scanned(): void {
    const token = takeToken();
    if (token === null) return;
    this.#draft.token = token;
    const seen = this.#seen();
    if (seen?.status.phase === "new") this.#view.renew(seen);
    else this.#show();
  }

  #show(): void {
    const seen = this.#seen();
    if (seen !== null) this.#view.show(seen);
  }

  #seen(): Seen | null {
    if (this.#status === null) return null;
    const status = { ...this.#status, preferences: this.#wished ?? this.#status.preferences };
    const joined = status.phase === "joined";
    return {
      status,
      surroundings: this.#watch.now,
      name: joined ? localStorage.getItem(NAME) : null,
      today: joined ? doneToday(status.done, new Date(), localStorage) : 0,
      install: this.#install.way,
      wake: this.#wake.state,
      notice: joined && this.#draft.token !== "" ? JOINED_ALREADY : null,
    };
  }
}

/** Take the token out of the address, so that it stays neither there nor in the history. */
function takeToken(): string | null {
  const token = tokenOfFragment(location.hash);
  if (token !== null) history.replaceState(null, "", location.pathname + location.search);
  return token;
}

function isSame(one: Preferences, other: Preferences): boolean {
  return (Object.keys(one) as (keyof Preferences)[]).every((key) => one[key] === other[key]);
}

async function open(): Promise<void> {
  const token = takeToken();
  const missing = lacks(await browserHas());
  if (missing.length > 0) return found("app").replaceChildren(lackingView(missing));
  new Page(token);
  // Without it the page needs a network to open, and works all the same.
  await navigator.serviceWorker?.register("offline.js").catch((error: unknown) => console.warn(error));
}

void open();
