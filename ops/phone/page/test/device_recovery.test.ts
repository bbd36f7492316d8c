/** A model that failed takes no tasks for a while that grows, is mended, and then takes some. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST_PAUSE, LONGEST_PAUSE, Recovery } from "../src/device/recovery.ts";

/** A recovery whose pauses end when the test says so; `mend` fails as often as `failures` says. */
function recovery(failures = 0): { found: Recovery; slept: number[]; wake: () => Promise<void>; mended: () => number } {
  const slept: number[] = [];
  let [wakes, left, mended]: [(() => void)[], number, number] = [[], failures, 0];
  const found = new Recovery({
    model: "a-model",
    changed: () => undefined,
    mend: async () => {
      mended += 1;
      if (left-- > 0) throw new Error("no memory");
    },
    sleep: (seconds, stopped) =>
      new Promise((resolve, reject) => {
        slept.push(seconds);
        wakes.push(resolve);
        stopped.addEventListener("abort", reject);
      }),
  });
  const wake = async (): Promise<void> => {
    for (const one of wakes) one();
    wakes = [];
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { found, slept, wake, mended: () => mended };
}

test("a model that failed pauses, and is back once it was mended", async () => {
  const { found, slept, wake } = recovery();
  found.failed();
  assert.ok(found.isUnderWay);
  assert.deepEqual(slept, [FIRST_PAUSE]);
  await wake();
  assert.ok(!found.isUnderWay);
});

test("each failure in a row doubles the pause, up to the longest", async () => {
  const { found, slept, wake } = recovery();
  for (let failure = 0; failure < 9; failure++) {
    found.failed();
    await wake();
  }
  assert.deepEqual(slept, [5, 10, 20, 40, 80, 160, 300, 300, LONGEST_PAUSE]);
});

test("a task that it did makes the next pause the shortest again", async () => {
  const { found, slept, wake } = recovery();
  for (let failure = 0; failure < 2; failure++) {
    found.failed();
    await wake();
    found.succeeded();
  }
  assert.deepEqual(slept, [FIRST_PAUSE, FIRST_PAUSE]);
});

test("tasks that fail together are one failure", () => {
  const { found, slept } = recovery();
  found.failed();
  found.failed();
  assert.deepEqual(slept, [FIRST_PAUSE]);
});

test("what keeps it from being mended is told until it is", async () => {
  const { found, slept, wake } = recovery(1);
  found.failed();
  await wake();
  assert.equal(found.reason, "no memory");
  assert.ok(found.isUnderWay);
  await wake();
  assert.deepEqual([found.reason, found.isUnderWay], [null, false]);
  assert.deepEqual(slept, [FIRST_PAUSE, 2 * FIRST_PAUSE]);
});

test("a model that cannot be loaded at first is tried again", async () => {
  const { found, wake } = recovery(1);
  await found.begin();
  assert.ok(found.isUnderWay);
  await wake();
  assert.ok(!found.isUnderWay);
});

test("one that is stopped is mended no more", async () => {
  const { found, wake, mended } = recovery();
  found.failed();
  found.stop();
  await wake();
  assert.equal(mended(), 0);
});
