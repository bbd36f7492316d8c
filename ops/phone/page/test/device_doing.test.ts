/** What the page shows of what the device does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { doingOf, type Facts } from "../src/device/doing.ts";
import { refusedWords, restingWords } from "../src/device/words.ts";

const WELL: Facts = {
  on: true,
  isReady: true,
  refused: null,
  paused: null,
  resting: null,
  isConnected: true,
  running: 0,
};
const STANDING = {
  owner: "ann",
  state: "active",
  trust: 1,
  sound: true,
  reason: null,
  quarantinedUntil: null,
  blacklistedUntil: null,
};

function doing(more: Partial<Facts>): string {
  const { doing: found, why } = doingOf({ ...WELL, ...more });
  return why === null ? found : `${found}: ${why}`;
}

test("a device that is ready waits or works", () => {
  assert.deepEqual([doing({}), doing({ running: 1 })], ["waiting", "working"]);
});

test("its switch counts more than anything else", () => {
  assert.equal(doing({ on: false, refused: "because", running: 1 }), "off");
});

test("what keeps it from work most is told", () => {
  assert.equal(doing({ refused: "shut out", isReady: false, paused: "hot" }), "refused: shut out");
  assert.equal(doing({ isReady: false, isConnected: false }), "starting");
  assert.equal(doing({ paused: "hot", isConnected: false }), "paused: hot");
  assert.equal(doing({ isConnected: false, resting: "unwell" }), "connecting");
  assert.equal(doing({ resting: "unwell" }), "resting: unwell");
});

test("a task that still runs when it is to pause is told first", () => {
  assert.equal(doing({ running: 1, paused: "hot" }), "working");
});

test("who is shut out is told until when, and why", () => {
  const until = "2026-11-30T12:00:00+00:00";
  assert.match(refusedWords({ ...STANDING, blacklistedUntil: until, reason: "It lied." }), /until .*2026.*: It lied$/);
  assert.match(refusedWords(null), /shut out for a time, or taken off/);
});

test("who rests is told why, where that is known", () => {
  assert.match(restingWords({ ...STANDING, reason: "Its disk is full." }), /at the moment: Its disk is full;/);
  assert.match(restingWords({ ...STANDING, quarantinedUntil: "2026-11-30T12:00:00Z" }), /until .*2026/);
});
