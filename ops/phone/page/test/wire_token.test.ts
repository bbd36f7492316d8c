import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidToken } from "../src/errors.ts";
import { concat, sha256, toBase64Url, utf8 } from "../src/wire/bytes.ts";
import { bootstrapLogin, loginAs, parseToken } from "../src/wire/token.ts";

const PLAIN = {
  version: 1,
  host: "broker.example",
  port: 5672,
  vhost: "starai",
  tls: false,
  user: "join-1",
  password: "secret-password",
  id: "t1",
  secret: "s".repeat(43),
  web: 15674,
};
const TLS = { ...PLAIN, tls: true, ca: "a".repeat(64), port: 5671, web: 15673 };

async function encode(content: object | string): Promise<string> {
  const bytes = utf8(typeof content === "string" ? content : JSON.stringify(content));
  return `starai-${toBase64Url(concat(bytes, (await sha256(bytes)).slice(0, 4)))}`;
}

async function refusal(text: string): Promise<string> {
  try {
    await parseToken(text);
  } catch (error) {
    assert.ok(error instanceof InvalidToken);
    return error.message;
  }
  return assert.fail("it was taken");
}

test("a token says where the broker's web STOMP is, and as whom to ask to join", async () => {
  const login = bootstrapLogin(await parseToken(await encode(TLS)));
  const url = "wss://broker.example:15673/ws";
  assert.deepEqual(login, { url, vhost: "starai", user: "join-1", password: "secret-password" });
});

test("a device's login is at the same place, and an IPv6 address stands in brackets", async () => {
  const token = await parseToken(await encode({ ...PLAIN, host: "::1" }));
  const login = { url: "ws://[::1]:15674/ws", vhost: "starai", user: "dev", password: "pw" };
  assert.deepEqual(loginAs(token, "dev", "pw"), login);
});

test("spaces and line breaks in a token do not matter, and a link that ends with it is one", async () => {
  const word = await encode(PLAIN);
  for (const text of [` ${word.slice(0, 30)}\n  ${word.slice(30)}\t`, `https://starai.example:8443/phone/#${word}`]) {
    assert.equal((await parseToken(text)).id, "t1");
  }
});

test("a token that is mistyped or cut is told from one that is none", async () => {
  const word = await encode(PLAIN);
  const other = word.at(20) === "A" ? "B" : "A";
  assert.match(await refusal(word.slice(0, 20) + other + word.slice(21)), /mistyped/);
  assert.match(await refusal(word.slice(0, -3)), /mistyped/);
  assert.match(await refusal("starai-"), /mistyped/);
  assert.match(await refusal("https://starai.example/phone/"), /no join token/);
  assert.match(await refusal(`starai-${"A".repeat(5000)}`), /no join token/);
});

test("a network whose broker takes no phones is named, and what its operator has to do", async () => {
  const { web: _, ...old } = PLAIN;
  assert.match(await refusal(await encode(old)), /takes no phones.*operator/);
});

test("what another release made asks for a reload, and what nobody made is said to be wrong where it is", async () => {
  assert.match(await refusal(await encode({ ...PLAIN, version: 2 })), /another release/);
  assert.match(await refusal(await encode({ ...PLAIN, port: 0 })), /wrong in its port\./);
  assert.match(await refusal(await encode({ ...PLAIN, more: 1 })), /wrong\./);
  assert.match(await refusal(await encode({ ...PLAIN, ca: "a".repeat(64) })), /wrong\./);
  assert.match(await refusal(await encode("[1]")), /wrong\./);
  assert.match(await refusal(await encode("{")), /not one that a StarAI platform made/);
});

test("no refusal repeats a part of the token", async () => {
  for (const wrong of [{ ...PLAIN, secret: "short-secret" }, { ...PLAIN, port: "secret-password" }]) {
    assert.doesNotMatch(await refusal(await encode(wrong)), /short-secret|secret-password|ssss/);
  }
});
