/** Cancelled tasks are never begun, or are stopped. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Cancellations, KEPT } from "../src/device/cancellations.ts";
import { Cancelled } from "../src/errors.ts";

const NOW = 1000;
const LATER = 2000;

function ofAnn(task: string, expires = LATER): { submitter: string; task: string; expires: number } {
  return { submitter: "ann", task, expires };
}

async function runs(cancellations: Cancellations, task: string, submitter = "ann"): Promise<boolean> {
  return cancellations.running(submitter, task, async () => true);
}

test("a cancelled task does not begin", async () => {
  const cancellations = new Cancellations(() => NOW);
  cancellations.add([ofAnn("one")]);
  await assert.rejects(runs(cancellations, "one"), Cancelled);
  assert.ok(await runs(cancellations, "two"));
});

test("another submitter's task of the same id is another task", async () => {
  const cancellations = new Cancellations(() => NOW);
  cancellations.add([ofAnn("one")]);
  assert.ok(await runs(cancellations, "one", "bob"));
});

test("from its deadline on a cancellation counts no more", async () => {
  let now = NOW;
  const cancellations = new Cancellations(() => now);
  cancellations.add([ofAnn("one", NOW + 1)]);
  now = NOW + 2;
  assert.ok(await runs(cancellations, "one"));
});

test("one that runs is stopped", async () => {
  const cancellations = new Cancellations(() => NOW);
  const stopped = cancellations.running("ann", "one", async (stop) => {
    cancellations.add([ofAnn("two")]);
    const before = stop.aborted;
    cancellations.add([ofAnn("one")]);
    return [before, stop.aborted];
  });
  assert.deepEqual(await stopped, [false, true]);
});

test("the newest are remembered", async () => {
  const cancellations = new Cancellations(() => NOW);
  cancellations.add([ofAnn("first"), ofAnn("told again")]);
  cancellations.add(Array.from({ length: KEPT - 2 }, (_, at) => ofAnn(`task ${at}`)));
  cancellations.add([ofAnn("told again"), ofAnn("last")]);
  assert.ok(await runs(cancellations, "first"));
  await assert.rejects(runs(cancellations, "told again"), Cancelled);
  await assert.rejects(runs(cancellations, "last"), Cancelled);
});
