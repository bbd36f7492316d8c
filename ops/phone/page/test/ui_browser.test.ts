import assert from "node:assert/strict";
import { test } from "node:test";
import { isIos } from "../src/ui/install.ts";
import { lacks } from "../src/ui/needs.ts";
import { suggestedName } from "../src/ui/suggestion.ts";
import { isMetered } from "../src/ui/surroundings.ts";
import { doneToday } from "../src/ui/tally.ts";
import { tokenIn, tokenOfFragment } from "../src/ui/token.ts";

const MORNING = new Date("2026-06-03T08:00:00");
const NEXT_DAY = new Date("2026-06-04T08:00:00");

function storage(): Pick<Storage, "getItem" | "setItem"> {
  const kept = new Map<string, string>();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) };
}

test("a token is found in itself, in a link, and with line breaks in it", () => {
  assert.equal(tokenIn("starai-Ab_-9"), "starai-Ab_-9");
  assert.equal(tokenIn("https://host/phone/#starai-Ab_-9"), "starai-Ab_-9");
  assert.equal(tokenIn(" starai-A\n b_-9 "), "starai-Ab_-9");
  assert.equal(tokenIn("hello"), null);
  assert.equal(tokenIn("starai-"), null);
});

test("only a fragment that is a token is taken for one", () => {
  assert.equal(tokenOfFragment("#starai-Ab"), "starai-Ab");
  assert.equal(tokenOfFragment("#about-starai-Ab"), null);
  assert.equal(tokenOfFragment(""), null);
});

test("only mobile data and the wish to save data count as metered, and what is not told is not known", () => {
  assert.equal(isMetered({ type: "cellular" }), true);
  assert.equal(isMetered({ type: "wifi", saveData: true }), true);
  assert.equal(isMetered({ type: "wifi", saveData: false }), false);
  assert.equal(isMetered({ type: "ethernet" }), false);
  assert.equal(isMetered({ type: "unknown" }), null);
  assert.equal(isMetered({ saveData: false }), null);
  assert.equal(isMetered(undefined), null);
});

test("without a safe connection nothing else is named", () => {
  const nothing = { secure: false, keys: false, wasm: false, workers: false, storage: false };
  assert.equal(lacks(nothing).length, 1);
  assert.match(lacks(nothing)[0]?.fix ?? "", /https/);
  assert.equal(lacks({ ...nothing, secure: true }).length, 4);
  assert.deepEqual(lacks({ secure: true, keys: true, wasm: true, workers: true, storage: true }), []);
});

test("a day's tasks are counted from where the day began", () => {
  const kept = storage();
  assert.equal(doneToday(100, MORNING, kept), 0);
  assert.equal(doneToday(103, MORNING, kept), 3);
  assert.equal(doneToday(110, NEXT_DAY, kept), 0);
  assert.equal(doneToday(111, NEXT_DAY, kept), 1);
});

test("a count that began anew has all of it today", () => {
  const kept = storage();
  assert.equal(doneToday(100, MORNING, kept), 0);
  assert.equal(doneToday(2, MORNING, kept), 2);
  assert.equal(doneToday(5, MORNING, kept), 5);
});

test("what another hand wrote where the day is kept does no harm", () => {
  const kept = storage();
  for (const text of ["", "{", "null", '{"day":1}']) {
    kept.setItem("starai.today", text);
    assert.equal(doneToday(7, MORNING, kept), 0);
  }
});

test("a name is suggested by what the browser says of itself", () => {
  assert.equal(suggestedName("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X)"), "iPhone");
  assert.equal(suggestedName("Mozilla/5.0 (Linux; Android 14) Chrome/137.0 Mobile Safari/537.36"), "Android phone");
  assert.equal(suggestedName("Mozilla/5.0 (Linux; Android 14) Chrome/137.0 Safari/537.36"), "Android tablet");
  assert.equal(suggestedName("something else"), "Phone");
});

test("an iPad that calls itself a Mac is known by its touch screen", () => {
  assert.equal(isIos("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", 5), true);
  assert.equal(isIos("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", 0), false);
  assert.equal(isIos("Mozilla/5.0 (Linux; Android 14)", 5), false);
});
