import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidMessage } from "../src/errors.ts";
import { type Frame, readFrame, writeFrame } from "../src/broker/frame.ts";
import { textOf, utf8 } from "../src/wire/bytes.ts";

function frameOf(text: string): Frame {
  const frame = readFrame(utf8(text).buffer);
  assert.ok(frame);
  return frame;
}

test("a frame comes back as it was written, whatever its headers and body hold", () => {
  const headers = { id: "a:b\\c\r\nd", "é:": "\\n" };
  const frame = readFrame(writeFrame("SEND", headers, Uint8Array.of(0, 10, 0)).buffer);
  assert.equal(frame?.command, "SEND");
  assert.deepEqual({ ...frame?.headers }, { ...headers, "content-length": "3" });
  assert.deepEqual(frame?.body, Uint8Array.of(0, 10, 0));
});

test("the login goes out unescaped, as the version asks for", () => {
  assert.equal(textOf(writeFrame("CONNECT", { login: "a:b" })), "CONNECT\nlogin:a:b\n\n\0");
});

test("lines that are empty are heartbeats", () => {
  assert.equal(readFrame("\n"), null);
  assert.equal(readFrame(utf8("\n\n").buffer), null);
});

test("a body ends where the message of the WebSocket does, with a line after it or without", () => {
  assert.equal(textOf(frameOf("MESSAGE\na:1\n\nbody\0\n").body), "body");
  assert.equal(textOf(frameOf("MESSAGE\na:1\n\nbody\0").body), "body");
  assert.equal(textOf(frameOf("RECEIPT\nreceipt-id:1\n\n\0\n").body), "");
});

test("a submitter's content-length makes no frame out of a part of the body", () => {
  const frame = frameOf("MESSAGE\ncontent-length:1\nuser-id:ann\ncontent-length:17\n\nx\0MESSAGE\na:1\n\n\0\0\n");
  assert.equal(textOf(frame.body), "x\0MESSAGE\na:1\n\n\0");
});

test("a submitter's headers stand for nothing that the broker says", () => {
  const delivery = "subscription:s1\nack:a1\nredelivered:false\n";
  const stranger = "subscription:s2\nack:a2\nredelivered:true\nuser-id:platform\ntimestamp:1\n";
  const { headers } = frameOf(`MESSAGE\n${delivery}${stranger}user-id:ann\ntimestamp:9\n\n\0\n`);
  const { subscription, ack, redelivered, timestamp } = headers;
  assert.deepEqual([subscription, ack, redelivered, headers["user-id"], timestamp], ["s1", "a1", "false", "ann", "9"]);
});

test("a header is known by its exact name, and no name is special", () => {
  const { headers } = frameOf("MESSAGE\n user-id:platform\n__proto__:x\n\n\0\n");
  assert.equal(headers["user-id"], undefined);
  assert.equal(headers.toString, undefined);
  assert.equal(headers["__proto__"], "x");
});

test("what is no frame is refused", () => {
  for (const text of ["MESSAGE\na:1\n\nbody", "MESSAGE\na:1", "MESSAGE\nnothing\n\n\0", "x"]) {
    assert.throws(() => readFrame(text), InvalidMessage, JSON.stringify(text));
  }
});
