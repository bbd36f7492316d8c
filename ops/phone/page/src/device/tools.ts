/** What the device stands on: the browser's, in a browser; others in tests. */

import type { Calibration, Host, Measurement, OnProgress, Status } from "../contract.ts";
import type { ModelStore, StoredModel } from "../model/store.ts";
import type { Storage } from "./kept.ts";

/** The part of the model store that the device uses. */
export type Shelf = Pick<ModelStore, "ensure" | "list" | "removeAll">;

/** How a model is loaded. */
export type OpenHost = (model: StoredModel, threads: number) => Promise<Host>;

export interface Tools {
  storage: Storage;
  shelf: Shelf;
  openHost: OpenHost;
  measure: (onProgress: OnProgress) => Promise<Measurement>;
  calibrate: (host: Host) => Promise<Calibration>;
  post: (status: Status) => void;
}
