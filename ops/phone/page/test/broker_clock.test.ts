import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkClock } from "../src/broker/clock.ts";
import { Patience } from "../src/broker/pauses.ts";
import type { Task } from "../src/wire/task.ts";

const PAUSES = { lost: 1000, login: 5000, permission: 5000, longest: 60_000 };

test("a clock that is near to the platform's is right, and finer", () => {
  const clock = new NetworkClock(() => 1000.4, () => 5);
  clock.tell(1002);
  assert.equal(clock.now(), 1000.4);
});

test("a clock that is far from the platform's is corrected, and runs on by one that never jumps", () => {
  let [own, steady] = [5000, 7];
  const clock = new NetworkClock(() => own, () => steady);
  clock.tell(1000);
  [own, steady] = [9999, 10];
  assert.equal(clock.now(), 1003.5);
});

test("a deadline is moved by how far this machine's clock is ahead", () => {
  const clock = new NetworkClock(() => 5000, () => 7);
  clock.tell(1000);
  assert.equal(clock.byOwnClock({ expires: 1100 } as Task).expires, 5099.5);
  assert.equal(clock.byOwnClock({ expires: null } as Task).expires, null);
});

test("pauses double until the longest, and begin anew after a success", () => {
  const patience = new Patience(PAUSES, () => 1);
  const pauses = Array.from({ length: 8 }, () => patience.after("lost"));
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  patience.succeeded();
  assert.equal(patience.after("lost"), 1000);
});

test("a refusal is waited out longer, and no two devices come back at the same moment", () => {
  assert.equal(new Patience(PAUSES, () => 1).after("login"), 5000);
  assert.equal(new Patience(PAUSES, () => 0).after("permission"), 2500);
  assert.notEqual(new Patience().after("lost"), new Patience().after("lost"));
});
