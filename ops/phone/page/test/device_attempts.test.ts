/** A task that came back is begun only if the platform clears it, or does not answer. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Ask, Attempts, CLEARED_LATER, CLEARED_WITHIN, NotCleared } from "../src/device/attempts.ts";
import { BrokerUnreachable } from "../src/errors.ts";
import { utf8 } from "../src/wire/bytes.ts";
import { aTask } from "./device_tasks.ts";

const RUN = "ab12";
const CAME_BACK = { redelivered: true, cameBack: true, returns: 1 };

/** Return attempts of which the platform says this, and what it was asked. */
function answered(answer: object | null): { attempts: Attempts; asked: [string, number][] } {
  const asked: [string, number][] = [];
  const ask: Ask = async (key, _body, withinMs) => {
    asked.push([key, withinMs]);
    if (answer === null) throw new BrokerUnreachable("nobody answered");
    return utf8(JSON.stringify(answer));
  };
  return { attempts: new Attempts(ask), asked };
}

test("a new task asks nobody", async () => {
  const { attempts, asked } = answered({ version: 1, start: false });
  const begun = await attempts.begin(aTask(), RUN, "a-model");
  assert.deepEqual([begun.isOnRecord, begun.task.returns, asked], [true, 0, []]);
});

test("the platform says the how manyth attempt it is", async () => {
  const { attempts, asked } = answered({ version: 1, start: true, attempt: 3 });
  const begun = await attempts.begin(aTask(CAME_BACK), RUN, "a-model");
  assert.deepEqual([begun.isOnRecord, begun.task.returns], [true, 2]);
  assert.deepEqual(asked, [["clearance", CLEARED_WITHIN]]);
});

test("what the platform does not clear is not begun", async () => {
  const { attempts } = answered({ version: 1, start: false, reason: "it has ended" });
  await assert.rejects(attempts.begin(aTask(CAME_BACK), RUN, "a-model"), (error) => {
    return error instanceof NotCleared && error.message === "it has ended";
  });
});

test("without an answer it is begun, and told before it starts", async () => {
  const { attempts } = answered(null);
  const begun = await attempts.begin(aTask(CAME_BACK), RUN, "a-model");
  assert.deepEqual([begun.isOnRecord, begun.task.returns], [false, 1]);
});

test("an answer that is none is no answer", async () => {
  const { attempts } = answered({ start: "perhaps" });
  assert.equal((await attempts.begin(aTask(CAME_BACK), RUN, "a-model")).isOnRecord, false);
});

test("one that came back more than once, or from the platform, waits longer", async () => {
  for (const more of [{ returns: 2 }, { republished: true }]) {
    const { attempts, asked } = answered(null);
    await attempts.begin(aTask({ ...CAME_BACK, ...more }), RUN, "a-model");
    assert.deepEqual(asked, [["clearance", CLEARED_LATER]]);
  }
});

test("where nobody tells, the device counts its own failures", async () => {
  const { attempts } = answered(null);
  const task = aTask(CAME_BACK);
  attempts.noteFailure(task);
  attempts.noteFailure(task);
  assert.equal((await attempts.begin(task, RUN, "a-model")).task.returns, 2);
});
