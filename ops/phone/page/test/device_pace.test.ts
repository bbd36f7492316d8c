/** How slow the phone is, by its own tasks, and the load that follows. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { LoadMeter } from "../src/device/load.ts";
import { expectedSeconds, FORGOTTEN, Pace, TELLING } from "../src/device/pace.ts";

const CALIBRATION = { slots: 1, tasks_per_second: 10 };

test("a small task may take as long as the one that was measured", () => {
  assert.equal(expectedSeconds(["short"], CALIBRATION), 0.1);
});

test("a large task may take longer, as far as a model reads texts", () => {
  const long = "word ".repeat(10_000);
  const [one, two] = [expectedSeconds([long], CALIBRATION), expectedSeconds([long, long], CALIBRATION)];
  assert.ok(one > 0.3 && one < 0.4);
  assert.equal(two, 2 * one);
});

test("a phone as fast as it was is under no load", () => {
  const pace = new Pace();
  pace.took(0.05, 0.1, 0);
  assert.deepEqual([pace.load(1), pace.isFarTooSlow(1)], [0, false]);
});

test("tasks that take twice as long are half a load", () => {
  const pace = new Pace();
  pace.took(0.2, 0.1, 0);
  assert.deepEqual([pace.load(1), pace.isFarTooSlow(1)], [0.5, false]);
});

test("one slow task among others is none", () => {
  const pace = new Pace();
  for (let now = 0; now < 5; now++) pace.took(0.1, 0.1, now);
  pace.took(0.6, 0.1, 5);
  assert.ok(!pace.isFarTooSlow(5));
  for (let now = 6; now < 12; now++) pace.took(0.6, 0.1, now);
  assert.ok(pace.isFarTooSlow(12));
});

test("the first tasks alone do not tell", () => {
  const pace = new Pace();
  for (let task = 1; task < TELLING; task++) pace.took(1, 0.1, task);
  assert.ok(!pace.isFarTooSlow(TELLING));
});

test("what was long ago says nothing of now", () => {
  const pace = new Pace();
  for (let task = 0; task < TELLING; task++) pace.took(1, 0.1, 0);
  assert.ok(pace.isFarTooSlow(FORGOTTEN - 1));
  assert.deepEqual([pace.load(FORGOTTEN), pace.isFarTooSlow(FORGOTTEN)], [0, false]);
});

test("a load that stays moves the step, and one that flickers does not", () => {
  const [steady, flickering] = [new LoadMeter(), new LoadMeter()];
  for (let now = 0; now < 60; now++) {
    steady.sample(0.5, now);
    flickering.sample(0.05 * (now % 2), now);
  }
  assert.ok(steady.step >= 0.4 && steady.step <= 0.5);
  assert.equal(flickering.step, 0);
});
