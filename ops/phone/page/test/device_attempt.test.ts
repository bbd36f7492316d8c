/** One attempt at a task: what its submitter is told, and what becomes of its message. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { NetworkClock } from "../src/broker/clock.ts";
import type { Vectors } from "../src/contract.ts";
import { attempt, type Verdict, type Workable } from "../src/device/attempt.ts";
import { Attempts } from "../src/device/attempts.ts";
import { Cancellations } from "../src/device/cancellations.ts";
import { BadInput, BrokerUnreachable, Cancelled, ModelError } from "../src/errors.ts";
import type { Report } from "../src/wire/report.ts";
import type { Task } from "../src/wire/task.ts";
import { aTask } from "./device_tasks.ts";

const WHO = { device: "device-1", region: "europe" } as const;

interface Told {
  verdict: Verdict;
  states: string[];
  reports: Report[];
}

/** Do a task with a model that does this, and return what came of it. */
async function done(task: Task, run: Workable["run"], unreachable = false): Promise<Told> {
  const reports: Report[] = [];
  const say = async (_replyTo: string, report: Report): Promise<void> => {
    if (unreachable) throw new BrokerUnreachable("the broker is away");
    reports.push(report);
  };
  const ask = async (): Promise<Uint8Array> => Promise.reject(new BrokerUnreachable("nobody answers"));
  const making = {
    attempts: new Attempts(ask),
    cancellations: new Cancellations(() => 0),
    clock: new NetworkClock(),
    saying: { who: WHO, say },
  };
  const verdict = await attempt(task, { model: "a-model", run }, making);
  return { verdict, states: reports.map(({ state }) => state), reports };
}

async function vectors(texts: string[]): Promise<Vectors> {
  return { data: new Float32Array(2 * texts.length).fill(0.5), rows: texts.length, width: 2 };
}

function failing(error: Error): Workable["run"] {
  return () => Promise.reject(error);
}

test("a task that ends soon is told of once", async () => {
  const { verdict, states, reports } = await done(aTask({ inputs: ["a", "b"] }), vectors);
  assert.deepEqual([verdict, states], ["acknowledge", ["succeeded"]]);
  assert.deepEqual(reports[0]?.output?.shape, [2, 2]);
  assert.deepEqual([reports[0]?.device, reports[0]?.region], ["device-1", "europe"]);
  assert.equal(typeof reports[0]?.started, "number");
});

test("a single text gets a single vector", async () => {
  const { reports } = await done(aTask({ inputs: "a" }), vectors);
  assert.deepEqual(reports[0]?.output?.shape, [2]);
});

test("a task that goes on for a moment is said to have started", async () => {
  const slow: Workable["run"] = async (texts) => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    return vectors(texts);
  };
  assert.deepEqual((await done(aTask(), slow)).states, ["started", "succeeded"]);
});

test("one that came back and was not cleared is said to start before it does", async () => {
  const { states } = await done(aTask({ cameBack: true, redelivered: true, returns: 1 }), vectors);
  assert.deepEqual(states, ["started", "succeeded"]);
});

test("what no model takes is its submitter's fault", async () => {
  const { verdict, reports } = await done(aTask(), failing(new BadInput("too much")));
  assert.deepEqual([verdict, reports[0]?.state, reports[0]?.failure?.reason], ["acknowledge", "failed", "bad-input"]);
});

test("a task that is not for such a model never reaches it", async () => {
  for (const other of [{ inputs: [] }, { stream: true }, { generates: true }, { inputs: new Map() }]) {
    const task = aTask(other);
    const { reports } = await done(task, failing(new Error("it was run")));
    assert.equal(reports[0]?.failure?.reason, "bad-input");
  }
});

test("a model that fails returns the task, and says so", async () => {
  const { verdict, states, reports } = await done(aTask(), failing(new ModelError("no memory")));
  assert.deepEqual([verdict, states, reports[0]?.note], ["return", ["requeued"], "no memory"]);
});

test("the third attempt that fails is the last", async () => {
  const { verdict, reports } = await done(
    aTask({ cameBack: true, redelivered: true, returns: 2 }),
    failing(new ModelError("no memory")),
  );
  assert.deepEqual([verdict, reports.at(-1)?.failure?.reason], ["acknowledge", "device"]);
});

test("an error that nobody expected is an attempt as well", async () => {
  const { verdict, reports } = await done(aTask(), failing(new TypeError("oops")));
  assert.deepEqual([verdict, reports[0]?.state], ["return", "requeued"]);
});

test("a task past its deadline is not run", async () => {
  const { verdict, states } = await done(aTask({ expires: 1 }), failing(new Error("it was run")));
  assert.deepEqual([verdict, states], ["acknowledge", ["expired"]]);
});

test("one that was cancelled while it ran says that it has ended", async () => {
  const { verdict, states } = await done(aTask(), failing(new Cancelled("cancelled")));
  assert.deepEqual([verdict, states], ["acknowledge", ["cancelled"]]);
});

test("a result that the broker does not take sends the task to another device", async () => {
  assert.equal((await done(aTask(), vectors, true)).verdict, "return");
});

test("a result that is too large to send is the submitter's fault", async () => {
  const huge: Workable["run"] = async () => ({ data: new Float32Array(2_000_000), rows: 2, width: 1_000_000 });
  const { reports } = await done(aTask({ inputs: ["a", "b"] }), huge);
  assert.match(reports[0]?.failure?.message ?? "", /10,667,692 bytes; the most is 8,388,608/);
});
