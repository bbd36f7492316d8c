import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../src/wire/bytes.ts";
import { type Headers, JunkError, MAX_BODY, type Task, readTask } from "../src/wire/task.ts";

const HEADERS: Headers = {
  id: "0b7e",
  task: "starai.inference",
  "user-id": "ann",
  "reply-to": "/reply-queue/reply.ann-0a",
  redelivered: "false",
  timestamp: "1790000000",
};

function body(own: unknown): Uint8Array {
  return utf8(JSON.stringify([[], own, {}]));
}

function taskWith(headers: Record<string, string>, own: unknown = { inputs: "x" }): Task {
  return readTask({ ...HEADERS, ...headers }, body(own));
}

function junk(headers: Record<string, string>, bytes: Uint8Array = body({ inputs: "x" })): JunkError {
  try {
    readTask({ ...HEADERS, ...headers }, bytes);
  } catch (error) {
    assert.ok(error instanceof JunkError);
    return error;
  }
  return assert.fail("it was taken");
}

test("a task is read from its headers and its body", () => {
  const task = taskWith({ expires: "2027-01-01T00:00:00+00:00", lease: "12.5" }, { inputs: ["a", "b"] });
  assert.deepEqual(task, {
    id: "0b7e",
    replyTo: "reply.ann-0a",
    submitter: "ann",
    inputs: ["a", "b"],
    expires: 1798761600,
    submitted: 1790000000,
    returns: 0,
    lease: 12.5,
    redelivered: false,
    republished: false,
    cameBack: false,
    generates: false,
    stream: false,
  });
});

test("a submitter is answered in a queue of its own, and the platform may name anybody's", () => {
  assert.equal(taskWith({ "reply-to": "reply.ann-0a" }).replyTo, "reply.ann-0a");
  const sentAgain = taskWith({ "user-id": "platform" });
  assert.deepEqual([sentAgain.submitter, sentAgain.republished, sentAgain.cameBack], ["ann", true, true]);
  const others = [{ "user-id": "bob" }, { "user-id": "" }, { "reply-to": "reply.ann-xyz" }, { "reply-to": "results" }];
  for (const other of others) {
    assert.equal(junk(other).replyTo, null);
    assert.equal(junk(other).task, "0b7e");
  }
});

test("how often a task came back is the broker's word, and only when it hands it out again", () => {
  assert.equal(taskWith({ "x-delivery-count": "7" }).returns, 0);
  assert.equal(taskWith({ redelivered: "true", "x-delivery-count": "3" }).returns, 3);
  assert.equal(taskWith({ redelivered: "true", "x-delivery-count": "0" }).returns, 1);
  assert.equal(taskWith({ redelivered: "true", "x-acquired-count": "2" }).returns, 0);
  assert.equal(taskWith({ redelivered: "true" }).returns, 1);
  assert.ok(taskWith({ redelivered: "true" }).cameBack);
});

test("a message that is no task tells its id where it can be repeated", () => {
  assert.equal(junk({ id: "a b" }).task, null);
  assert.equal(junk({ id: "a".repeat(65) }).task, null);
  const other = junk({ task: "celery.backend_cleanup" });
  assert.deepEqual([other.task, other.replyTo], ["0b7e", "reply.ann-0a"]);
});

test("times and leases that are none are refused", () => {
  assert.match(junk({ expires: "soon" }).message, /'expires' is no time/);
  assert.match(junk({ expires: "2027-02-30T00:00:00Z" }).message, /'expires' is no time/);
  assert.match(junk({ expires: "2027-01-01T00:00:00" }).message, /'expires' has no time zone/);
  for (const lease of ["0.5", "3601", "-1", "1e2", "NaN", ""]) {
    assert.match(junk({ lease }).message, /from 1 to 3600 s/);
  }
});

test("a moment is read to the microsecond, in its own time zone", () => {
  assert.equal(taskWith({ expires: "2027-01-01T01:30:00.250000+01:30" }).expires, 1798761600.25);
  assert.equal(taskWith({ expires: "2026-12-31T19:00:00-05:00" }).expires, 1798761600);
});

test("a body is a list of three, with the task's own arguments and nothing unknown in them", () => {
  const own = { inputs: "x" };
  const wrong = [[[], own], [[], own, {}, 1], [{}, own, {}], [[], own, []]];
  for (const whole of wrong) assert.match(junk({}, utf8(JSON.stringify(whole))).message, /the body is not a task's/);
  for (const other of [{}, { inputs: "x", more: 1 }, { inputs: 1 }, { inputs: [1] }, { inputs: "x", stream: 1 }, null]) {
    assert.match(junk({}, body(other)).message, /the body is not a task's/);
  }
  assert.match(junk({}, utf8("{")).message, /no JSON/);
  assert.match(junk({}, Uint8Array.of(0xff)).message, /the body is not a task's/);
});

test("a body or a list that is too large is refused", () => {
  assert.match(junk({}, new Uint8Array(MAX_BODY + 1)).message, /the most is/);
  assert.match(junk({}, body({ inputs: Array(4097).fill("x") })).message, /neither a text, nor up to 4096 texts/);
  assert.equal((taskWith({}, { inputs: Array(4096).fill("x") }).inputs as string[]).length, 4096);
});

test("what other models take is no junk here, and its form is checked", () => {
  const message = { role: "user", content: "hi" };
  const tensor = { dtype: "<f4", shape: [1], data: "AAAAAA==" };
  assert.deepEqual(taskWith({}, { inputs: [message], options: { top_p: 0.5 } }).inputs, [message]);
  assert.deepEqual([...(taskWith({}, { inputs: { a: tensor } }).inputs as Map<string, unknown>)], [["a", tensor]]);
  junk({}, body({ inputs: {} }));
  junk({}, body({ inputs: { a: { ...tensor, dtype: ">f4" } } }));
  junk({}, body({ inputs: [{ ...message, role: "tool" }] }));
  junk({}, body({ inputs: "x", options: { temperature: 3 } }));
});
