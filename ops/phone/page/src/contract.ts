/** What the parts of the page know of each other: the page itself, the device (a worker), the model (a worker of it). */

export type Region = "asia" | "europe" | "north-america" | "south-america" | "africa" | "oceania";

/** A model that this device hosts, as the platform tells it (tasks/deployment.py). */
export interface Deployment {
  model: string;
  tier: string;
  slots: number;
  speed: number;
  threads: number | null;
}

/** Where the broker's web STOMP is, and as whom to log in. */
export interface BrokerLogin {
  url: string;
  vhost: string;
  user: string;
  password: string;
}

/** Who this device is, kept in the browser's storage from one visit to the next. */
export interface Enrolment {
  device: string;
  region: Region;
  broker: BrokerLogin;
  deployments: Deployment[];
}

/** What a device measured, in the form of models/measurement.py. */
export interface Measurement {
  operating_system: string;
  machine_class: "phone";
  cpu_model: string;
  physical_cores: number;
  threads: number;
  memory_bytes: number;
  memory_available_bytes: number;
  gpus: [];
  provider: "WasmExecutionProvider";
  not_loaded: null;
  generates_on: [];
  speeds: { threads: number; gflops: number; gb_per_s: number }[];
}

/** How fast a model runs here (models/calibration.py). */
export interface Calibration {
  slots: number;
  tasks_per_second: number;
}

/** Bytes of a step that takes long. */
export interface Progress {
  done: number;
  total: number;
}
export type OnProgress = (progress: Progress) => void;

/** One float32 row for each text, in the order of the texts. */
export interface Vectors {
  data: Float32Array;
  rows: number;
  width: number;
}

/** A model that is loaded in a worker of its own. */
export interface Host {
  /**
   * Embed texts, a step of the model after the other.
   *
   * @throws BadInput a text that no model takes; Cancelled `stop` was aborted, between two steps; ModelError otherwise.
   */
  run(texts: string[], stop?: AbortSignal): Promise<Vectors>;
  /** End it at once; what runs is rejected with a ModelError. */
  close(): void;
}

/** What the browser knows of the phone's state; `null`: it does not tell. */
export interface Surroundings {
  charging: boolean | null;
  battery: number | null;
  metered: boolean | null;
  online: boolean;
  hiddenSince: number | null;
}

/** What the owner prefers; `unmetered` and `powered` count where the browser cannot tell. */
export interface Preferences {
  onlyWhileCharging: boolean;
  batteryAbove: number;
  notMetered: boolean;
  ownerSaysPowered: boolean;
  ownerSaysUnmetered: boolean;
  hiddenMinutes: number;
  keepAwake: boolean;
  threads: number | null;
}

export const DEFAULT_PREFERENCES: Preferences = {
  onlyWhileCharging: false,
  batteryAbove: 0.5,
  notMetered: true,
  ownerSaysPowered: false,
  ownerSaysUnmetered: false,
  hiddenMinutes: 10,
  keepAwake: false,
  threads: null,
};

/** How the device stands, as the platform says it (tasks/greeting.py, `Standing`), as far as it is shown. */
export interface Standing {
  owner: string;
  state: string;
  trust: number;
  sound: boolean;
  reason: string | null;
  quarantinedUntil: string | null;
  blacklistedUntil: string | null;
}

/**
 * What the device does now.
 *
 * off: the owner's switch is off. starting: fetching or loading its model. connecting: no connection stands.
 * waiting: ready for the next task. working: on one. paused: `why` says by which preference.
 * resting: the platform gives it no tasks (`why`). refused: its login is refused; blacklisted, or removed (`why`).
 */
export type Doing = "off" | "starting" | "connecting" | "waiting" | "working" | "paused" | "resting" | "refused";

export interface ModelStatus {
  name: string;
  bytes: number;
  stored: boolean;
  fault: string | null;
}

/** All that the page shows; sent whole with every change. */
export interface Status {
  phase: "new" | "joining" | "joined";
  step: string | null;
  progress: Progress | null;
  error: string | null;
  on: boolean;
  doing: Doing;
  why: string | null;
  device: string | null;
  region: Region | null;
  models: ModelStatus[];
  done: number;
  failed: number;
  lastTaskMs: number | null;
  standing: Standing | null;
  preferences: Preferences;
}

/** What the page asks of the device. */
export type Ask =
  | { type: "join"; token: string; name: string }
  | { type: "switch"; on: boolean }
  | { type: "preferences"; preferences: Preferences }
  | { type: "surroundings"; surroundings: Surroundings }
  | { type: "removeModels" }
  | { type: "leave" };
