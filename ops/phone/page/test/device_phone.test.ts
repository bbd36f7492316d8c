/** What the page asks of the device, with a stand-in for the browser's storage and models. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Enrolment, Status } from "../src/contract.ts";
import { type Kept, nothingKept, type Storage } from "../src/device/kept.ts";
import { Phone } from "../src/device/phone.ts";
import type { Tools } from "../src/device/tools.ts";
import { makeKeys } from "../src/wire/keys.ts";

const ENROLMENT: Enrolment = {
  device: "device-1",
  region: "asia",
  broker: { url: "ws://127.0.0.1:9/ws", vhost: "starai", user: "device-1", password: "secret" },
  deployments: [{ model: "a-model", tier: "tiny", slots: 1, speed: 0.5, threads: 1 }],
};

class Memory implements Storage {
  kept: Kept;
  constructor(kept: Kept) {
    this.kept = kept;
  }
  async load(): Promise<Kept> {
    return { ...this.kept };
  }
  async save(part: Partial<Kept>): Promise<void> {
    Object.assign(this.kept, part);
  }
  async forget(): Promise<void> {
    this.kept = { ...nothingKept(), preferences: this.kept.preferences };
  }
}

interface Begun {
  phone: Phone;
  storage: Memory;
  shown: () => Status;
}

/** A phone that begins with what was kept. */
async function begun(kept: Partial<Kept> = {}): Promise<Begun> {
  const storage = new Memory({ ...nothingKept(), ...kept });
  let status: Status | null = null;
  const never = (): Promise<never> => new Promise(() => undefined);
  const shelf = { ensure: never, list: async () => [], removeAll: async () => undefined };
  const post = (posted: Status): void => {
    status = posted;
  };
  const tools: Tools = { storage, shelf, openHost: never, measure: never, calibrate: never, post };
  const phone = new Phone(tools);
  await phone.begin();
  return {
    phone,
    storage,
    shown: () => {
      assert.ok(status);
      return status;
    },
  };
}

/** Wait until the status is as it has to be. */
async function until(shown: () => Status, is: (status: Status) => boolean): Promise<Status> {
  while (!is(shown())) await new Promise((resolve) => setTimeout(resolve, 10));
  return shown();
}

async function joined(more: Partial<Kept> = {}): Promise<Begun> {
  return begun({ enrolment: ENROLMENT, keys: await makeKeys(), ...more });
}

test("a new phone is off, and knows nothing", async () => {
  const { shown } = await begun();
  assert.deepEqual([shown().phase, shown().doing, shown().device], ["new", "off", null]);
});

test("a new phone cannot be switched on", async () => {
  const { phone, storage } = await begun();
  await phone.take({ type: "switch", on: true });
  assert.equal(storage.kept.on, false);
});

test("a link that is no token is refused in words, and the phone is new still", async () => {
  const { phone, shown } = await begun();
  await phone.take({ type: "join", token: "hello", name: "mine" });
  const status = await until(shown, ({ error }) => error !== null);
  assert.match(status.error ?? "", /no join token/);
  assert.equal(status.phase, "new");
});

test("a page that is loaded again goes on as the same device, and serves if it did", async () => {
  const { phone, shown } = await joined({ on: true, done: 7 });
  const status = await until(shown, ({ doing }) => doing === "starting");
  assert.deepEqual([status.phase, status.device, status.region, status.done], ["joined", "device-1", "asia", 7]);
  await phone.take({ type: "switch", on: false });
});

test("a phone that cannot join anew serves as it did", async () => {
  const { phone, shown } = await joined({ on: true });
  await phone.take({ type: "join", token: "hello", name: "mine" });
  const status = await until(shown, ({ error, doing }) => error !== null && doing === "starting");
  assert.deepEqual([status.phase, status.device], ["joined", "device-1"]);
  await phone.take({ type: "switch", on: false });
});

test("what its owner switches is kept", async () => {
  const { phone, storage, shown } = await joined();
  await phone.take({ type: "switch", on: true });
  assert.equal(storage.kept.on, true);
  await phone.take({ type: "switch", on: false });
  assert.equal(storage.kept.on, false);
  await until(shown, ({ doing }) => doing === "off");
});

test("what its owner prefers is kept and shown", async () => {
  const { phone, storage, shown } = await joined();
  const preferences = { ...nothingKept().preferences, batteryAbove: 0.8 };
  await phone.take({ type: "preferences", preferences });
  assert.equal(storage.kept.preferences.batteryAbove, 0.8);
  await until(shown, (status) => status.preferences.batteryAbove === 0.8);
});

test("a phone that leaves is a new one, with its owner's preferences", async () => {
  const preferences = { ...nothingKept().preferences, hiddenMinutes: 3 };
  const { phone, storage, shown } = await joined({ on: true, done: 7, preferences });
  await phone.take({ type: "leave" });
  const status = await until(shown, ({ phase }) => phase === "new");
  assert.deepEqual([status.doing, status.done, status.device], ["off", 0, null]);
  assert.deepEqual([storage.kept.keys, storage.kept.preferences.hiddenMinutes], [null, 3]);
});

test("removing its models switches it off first", async () => {
  const { phone, storage } = await joined({ on: true });
  await phone.take({ type: "removeModels" });
  assert.equal(storage.kept.on, false);
});
