import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidMessage } from "../src/errors.ts";
import { concat, fromBase64Url, sha256, textOf, toBase64, toBase64Url, toHex, utf8 } from "../src/wire/bytes.ts";

/** Bytes that no short text would show: all values, of a length that is no multiple of three. */
function many(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, at) => (at * 151 + (at >> 8)) & 255);
}

test("base64 is that of Node for every length of the last group", () => {
  for (const size of [0, 1, 2, 3, 255, 256, 1000]) {
    assert.equal(toBase64(many(size)), Buffer.from(many(size)).toString("base64"));
    assert.equal(toBase64Url(many(size)), Buffer.from(many(size)).toString("base64url"));
  }
});

test("megabytes become base64 in a fraction of a second", () => {
  const bytes = many(6 * 1024 * 1024);
  const began = performance.now();
  assert.equal(toBase64(bytes).length, 8 * 1024 * 1024);
  assert.ok(performance.now() - began < 5000);
});

test("base64url comes back as the bytes that it was made of", () => {
  for (const size of [0, 1, 2, 3, 100_000]) assert.deepEqual(fromBase64Url(toBase64Url(many(size))), many(size));
});

test("base64url has one spelling: padding, other alphabets and idle bits are refused", () => {
  for (const text of ["QQ==", "QR", "a+b/", "A", "QQ Q", "é"]) {
    assert.throws(() => fromBase64Url(text), InvalidMessage, text);
  }
});

test("what is not UTF-8 is refused, and a byte order mark is no part that vanishes", () => {
  assert.throws(() => textOf(Uint8Array.of(0xff, 0xfe)), InvalidMessage);
  assert.equal(textOf(utf8("\ufeffé")).length, 2);
});

test("a hash is of the very bytes, wherever they lie in memory", async () => {
  const part = concat(utf8("before"), utf8("abc"), utf8("after")).subarray(6, 9);
  assert.equal(toHex(await sha256(part)), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
