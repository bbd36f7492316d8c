/** When and where the device listens abroad. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Abroad, DWELL, SETTLED } from "../src/device/abroad.ts";
import { abroadOf } from "../src/device/regions.ts";

/** Return where an idle device listens at each of these times. */
function idleAt(abroad: Abroad, ...times: number[]): (string | null)[] {
  return times.map((now) => abroad.look(true, false, now));
}

test("it listens nowhere before it has been idle for a moment", () => {
  assert.deepEqual(idleAt(new Abroad("europe", 1), 0, SETTLED - 0.1, SETTLED), [null, null, "north-america"]);
});

test("it takes the other regions in turn, the nearest first", () => {
  const abroad = new Abroad("europe", 1);
  const times = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
  const places = idleAt(abroad, ...times).filter((place, at, all) => place !== null && place !== all[at - 1]);
  assert.deepEqual(places, [...abroadOf("europe"), "north-america"]);
  assert.deepEqual(abroadOf("europe").slice(0, 2), ["north-america", "africa"]);
});

test("work at home ends it at once", () => {
  const abroad = new Abroad("asia", 1);
  idleAt(abroad, 0, SETTLED);
  assert.equal(abroad.look(false, false, SETTLED + 0.1), null);
});

test("a task from there is never cut off", () => {
  const abroad = new Abroad("asia", 1);
  const [, place] = idleAt(abroad, 0, SETTLED);
  assert.equal(abroad.look(false, true, 100), place);
});

test("where a task was found it stays as long again", () => {
  const abroad = new Abroad("asia", 1);
  const [, place] = idleAt(abroad, 0, SETTLED);
  abroad.found(SETTLED + DWELL - 0.1);
  assert.deepEqual(idleAt(abroad, SETTLED + DWELL, SETTLED + 2 * DWELL - 0.2), [place, place]);
  assert.notEqual(abroad.look(true, false, SETTLED + 2 * DWELL), place);
});

test("whatever happens, it changes a subscription once a second at most, on average", () => {
  const abroad = new Abroad("africa", 1);
  let [changes, before, seed]: [number, string | null, number] = [0, null, 7];
  const seconds = 600;
  for (let now = 0; now < seconds; now += 0.05) {
    seed = (seed * 48271) % 2147483647; // bursts of work of any length, the same ones each time
    const place = abroad.look(seed % 40 !== 0, false, now);
    if (place !== before) changes += before !== null && place !== null ? 2 : 1;
    before = place;
  }
  assert.ok(changes <= seconds + 2, `${changes} changes in ${seconds} s`);
  assert.ok(changes > 10);
});
