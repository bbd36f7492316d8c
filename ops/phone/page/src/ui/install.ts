/** Whether and how the page can be put on the home screen. */

/** button: the browser offers it. ios: by hand, in Safari's menu. none: it is there already, or cannot be. */
export type InstallWay = "button" | "ios" | "none";

/** The event of Chromium's browsers, which the standard library of types lacks. */
interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

/** Say whether a browser is one of an iPhone or iPad; an iPad calls itself a Mac, but can be touched. */
export function isIos(userAgent: string, touchPoints: number): boolean {
  return /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1);
}

/** Keeps the browser's offer until the owner takes it. */
export class Install {
  #changed: () => void;
  #offer: InstallOffer | null = null;

  constructor(changed: () => void) {
    this.#changed = changed;
    window.addEventListener("beforeinstallprompt", (event) => {
      event.preventDefault();
      this.#take(event as InstallOffer);
    });
    window.addEventListener("appinstalled", () => this.#take(null));
  }

  get way(): InstallWay {
    if (isInstalled()) return "none";
    if (this.#offer !== null) return "button";
    return isIos(navigator.userAgent, navigator.maxTouchPoints) ? "ios" : "none";
  }

  /** Ask the browser to install the page. An offer counts once. */
  async accept(): Promise<void> {
    const offer = this.#offer;
    this.#take(null);
    await offer?.prompt();
  }

  #take(offer: InstallOffer | null): void {
    this.#offer = offer;
    this.#changed();
  }
}

function isInstalled(): boolean {
  const own = navigator as Navigator & { readonly standalone?: boolean };
  return own.standalone === true || matchMedia("(display-mode: standalone)").matches;
}
