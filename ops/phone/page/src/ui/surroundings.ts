/** What the browser knows of the phone's state: battery, network, and whether the page is seen. */

import type { Surroundings } from "../contract.ts";

/** A part of the Network Information API, which Safari and Firefox lack. */
export interface Connection extends EventTarget {
  readonly type?: string;
  readonly saveData?: boolean;
}

interface Battery extends EventTarget {
  readonly charging: boolean;
  readonly level: number;
}

interface Telling {
  readonly connection?: Connection;
  getBattery?(): Promise<Battery>;
}

/** Say whether a connection costs; `null`: the browser does not tell. */
export function isMetered(connection: Pick<Connection, "type" | "saveData"> | undefined): boolean | null {
  if (connection === undefined) return null;
  if (connection.saveData === true || connection.type === "cellular") return true;
  return connection.type === "wifi" || connection.type === "ethernet" ? false : null;
}

/** Watches the surroundings, and tells of each change. */
export class Watch {
  #tell: (around: Surroundings) => void;
  #battery: Battery | null = null;
  #hiddenSince: number | null = null;

  constructor(tell: (around: Surroundings) => void) {
    this.#tell = tell;
    this.#seen();
    for (const event of ["online", "offline"]) window.addEventListener(event, () => this.#changed());
    document.addEventListener("visibilitychange", () => this.#changed());
    connection()?.addEventListener("change", () => this.#changed());
  }

  /** How things are now. */
  get now(): Surroundings {
    return {
      charging: this.#battery?.charging ?? null,
      battery: this.#battery?.level ?? null,
      metered: isMetered(connection()),
      online: navigator.onLine,
      hiddenSince: this.#hiddenSince,
    };
  }

  /** Ask for the battery. A browser that refuses does not tell: that is known from then on, and no error. */
  async findBattery(): Promise<void> {
    const battery = await (navigator as Telling).getBattery?.().catch(() => undefined);
    if (battery === undefined) return;
    this.#battery = battery;
    for (const event of ["chargingchange", "levelchange"]) battery.addEventListener(event, () => this.#changed());
    this.#changed();
  }

  #changed(): void {
    this.#seen();
    this.#tell(this.now);
  }

  #seen(): void {
    const hidden = document.visibilityState === "hidden";
    this.#hiddenSince = hidden ? (this.#hiddenSince ?? Date.now()) : null;
  }
}

function connection(): Connection | undefined {
  return (navigator as Telling).connection;
}
