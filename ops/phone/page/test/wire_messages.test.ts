import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidMessage } from "../src/errors.ts";
import { textOf, toBase64Url, utf8 } from "../src/wire/bytes.ts";
import { readCancelled } from "../src/wire/cancellation.ts";
import { readClearanceAnswer } from "../src/wire/clearance.ts";
import { write } from "../src/wire/envelope.ts";
import { readGreeted, writeGoodbye, writeHello } from "../src/wire/greeting.ts";
import { replyUser, taskQueue } from "../src/wire/names.ts";
import { readOrder } from "../src/wire/order.ts";
import { digest, MOST_PADDING } from "../src/wire/probe.ts";
import { junkReport, writeReport } from "../src/wire/report.ts";
import { pack } from "../src/wire/tensor.ts";

function json(value: unknown): Uint8Array {
  return utf8(JSON.stringify(value));
}

const NONCE = "0123456789abcdef0123456789abcdef";

test("an order is the platform's, and nobody else's", () => {
  const rest = { duty: "rest", cancel: [], probe: null, sound: null };
  assert.deepEqual(readOrder("platform", json({ duty: "rest" })), rest);
  assert.equal(readOrder("ann", json({ duty: "rest" })), null);
  assert.equal(readOrder(undefined, json({ duty: "rest" })), null);
});

test("an order that asks for nothing, or for what is unknown, is none", () => {
  const probe = { cycle: 1, nonce: NONCE };
  const empty = [{}, { cancel: [] }, { cancel: [["ann", "t1"]] }, "rest", null];
  const unknown = [{ duty: "dance" }, { sound: 1 }, { duty: "rest", more: 1 }, { probe: { cycle: 1 } }];
  for (const order of [...empty, ...unknown, { probe: { ...probe, cycle: -1 } }]) {
    assert.equal(readOrder("platform", json(order)), null, JSON.stringify(order));
  }
  assert.equal(readOrder("platform", utf8("{")), null);
});

test("an order tells what was cancelled, and brings a probe with its padding", async () => {
  const cancel = [["ann", "t1", 1790000000.5]];
  const padding = new Uint8Array(MOST_PADDING).fill(7);
  const probe = { cycle: 3, nonce: NONCE, padding: toBase64Url(padding) };
  const order = readOrder("platform", json({ cancel, probe }));
  assert.deepEqual(order?.cancel, [{ submitter: "ann", task: "t1", expires: 1790000000.5 }]);
  assert.deepEqual(order?.probe, { cycle: 3, nonce: NONCE, padding });
  assert.match((await digest(padding)) ?? "", /^[0-9a-f]{64}$/);
  assert.equal(await digest(new Uint8Array(0)), null);
});

test("a probe with more padding than is taken is none", () => {
  const padding = toBase64Url(new Uint8Array(MOST_PADDING + 1));
  assert.equal(readOrder("platform", json({ probe: { cycle: 3, nonce: NONCE, padding } })), null);
});

test("answers are strict: nothing unknown, nothing missing, nothing of another kind", () => {
  assert.deepEqual(readGreeted(json({ state: "active", sound: true })), { state: "active", sound: true });
  for (const wrong of [{ state: "active" }, { state: 1, sound: true }, { state: "a", sound: true, more: 1 }, []]) {
    assert.throws(() => readGreeted(json(wrong)), InvalidMessage);
  }
  assert.deepEqual(readClearanceAnswer(json({ start: true })), { start: true, attempt: null, reason: null });
  assert.throws(() => readClearanceAnswer(json({ start: "yes" })), InvalidMessage);
  assert.throws(() => readCancelled(json({ cancelled: [["ann", 1, 2]] })), InvalidMessage);
});

test("a refusal of a message repeats nothing of it", () => {
  for (const body of [json({ state: { a: "secret" } }), utf8("{secret")]) {
    assert.throws(() => readGreeted(body), (error: Error) => !error.message.includes("secret"));
  }
});

test("what is written leaves out what is null, but keeps a list's length, and holds no number that is none", () => {
  assert.equal(textOf(write({ a: null, b: [null, 1], c: { d: undefined } })), '{"b":[null,1],"c":{}}');
  assert.throws(() => write({ a: NaN }), InvalidMessage);
  assert.throws(() => write({ a: "x".repeat(70_000) }), InvalidMessage);
});

test("greetings stay within what the platform takes", () => {
  assert.equal(textOf(writeHello("v".repeat(50))), `{"software":"${"v".repeat(40)}"}`);
  assert.equal(textOf(writeGoodbye(1_000_000)), '{"left":100000}');
});

test("a report is cut to what a submitter takes, and no character in two", () => {
  const report = junkReport("t1", "😀".repeat(600), "dev", "asia", 1);
  assert.equal(report.failure?.message, `The task was refused: ${"😀".repeat(500)}.`);
  const failure = { reason: "device", message: "m".repeat(3000) } as const;
  const long = { task: "t1", state: "requeued", at: 1, note: "n".repeat(600), failure } as const;
  const written = JSON.parse(textOf(writeReport(long))) as { note: string; failure: { message: string } };
  assert.deepEqual([written.note.length, written.failure.message.length], [500, 2000]);
});

test("vectors travel as base64 of their little-endian numbers, wherever they lie in memory", () => {
  const data = new Float32Array([9, 1, -2, 0.5, 3]).subarray(1);
  const expected = Buffer.from("0000803f000000c00000003f00004040", "hex").toString("base64");
  assert.deepEqual(pack({ data, rows: 2, width: 2 }), { dtype: "<f4", shape: [2, 2], data: expected });
  assert.throws(() => pack({ data, rows: 2, width: 3 }), RangeError);
});

test("a reply queue is of the user that its name says, and of nobody where it is none", () => {
  assert.equal(replyUser("reply.ann-b-0a1f"), "ann-b");
  for (const name of ["reply.-0a", "reply.ann", "reply.Ann-0a", "reply.ann-0A", "ann-0a", "reply.ann-", "reply."]) {
    assert.equal(replyUser(name), null, name);
  }
});

test("a model's dots are no words of a queue's name", () => {
  assert.equal(taskQueue("asia", "tiny", "phi3-3.8b"), "inference.asia.tiny.phi3-3-8b");
  assert.throws(() => taskQueue("asia", "tiny", "a b"), InvalidMessage);
});
