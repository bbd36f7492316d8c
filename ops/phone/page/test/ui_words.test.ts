import assert from "node:assert/strict";
import { test } from "node:test";
import { FIRST, NOW, AROUND, STANDING } from "./ui_examples.ts";
import { doingWords, tone } from "../src/ui/doing_words.ts";
import { duration, moment, percent, phrase, sentence, size, sizeOf } from "../src/ui/figures.ts";
import { batteryWords, networkWords, regionWords } from "../src/ui/phone_words.ts";
import { standingWords } from "../src/ui/standing_words.ts";

test("sizes are told in the unit that fits, and what is no file as a share", () => {
  assert.deepEqual([size(31_400), size(91_300_000), size(2_720_000_000)], ["32 kB", "91.3 MB", "2.72 GB"]);
  assert.equal(sizeOf(38_200_000, 91_300_000), "38.2 of 91.3 MB");
  assert.equal(sizeOf(1_000, 31_400), "1 of 32 kB");
  assert.deepEqual([sizeOf(3, 4), sizeOf(0, 0), sizeOf(5, 4)], ["75 %", "0 %", "100 %"]);
});

test("durations and shares are told as one reads them", () => {
  assert.deepEqual([0.2, 182.4, 59_900, 90_000].map(duration), ["1 ms", "182 ms", "59.9 s", "2 min"]);
  assert.equal(percent(0.876), "88 %");
});

test("a moment is told from now on", () => {
  assert.equal(moment("2026-06-03T14:30:00", NOW), "14:30");
  assert.equal(moment("2026-06-04T00:10:00", NOW), "tomorrow, 00:10");
  assert.equal(moment("2026-06-09T14:30:00", NOW), "9 June, 14:30");
  assert.equal(moment("soon", NOW), "soon");
});

test("what another part says becomes a sentence, and the name of a file stays as it is", () => {
  assert.equal(sentence("the battery is at 41 %"), "The battery is at 41 %.");
  assert.equal(sentence("vocab.txt is broken. Fetch it again!"), "vocab.txt is broken. Fetch it again!");
  assert.equal(phrase("all-minilm-l6-v2 is fetched"), "all-minilm-l6-v2 is fetched");
  assert.equal(phrase(" fetching all-minilm-l6-v2 "), "Fetching all-minilm-l6-v2");
});

test("what the device says of its reason goes before what is always so", () => {
  const paused = { ...FIRST, doing: "paused" as const };
  assert.equal(doingWords({ ...paused, why: "it is hot" }, AROUND).detail, "It is hot.");
  assert.equal(doingWords(paused, AROUND).detail, "It goes on by itself.");
  assert.equal(tone("paused"), "held");
});

test("a phone without a network says so while it connects", () => {
  const connecting = { ...FIRST, doing: "connecting" as const };
  assert.match(doingWords(connecting, { ...AROUND, online: false }).detail, /has no network/);
  assert.match(doingWords(connecting, AROUND).detail, /looks for the network/);
});

test("the reason of what it does now is not said of what it did before", () => {
  const paused = { ...FIRST, doing: "paused" as const, why: "it is hot" };
  assert.match(doingWords(paused, AROUND, "working").detail, /The answer/);
});

test("a quarantine counts while it lasts, and no longer", () => {
  const inactive = { ...STANDING, state: "inactive", trust: 0.4 };
  const ahead = standingWords({ ...inactive, quarantinedUntil: "2026-06-03T13:00:00" }, NOW);
  assert.deepEqual([ahead.band, ahead.title], ["out", "In quarantine until 13:00"]);
  const over = standingWords({ ...inactive, quarantinedUntil: "2026-06-03T11:00:00" }, NOW);
  assert.equal(over.title, "Waiting for a check");
});

test("the blacklist is told with its end where there is one, and why", () => {
  const listed = { ...STANDING, state: "blacklisted", reason: "it lied" };
  assert.equal(standingWords(listed, NOW).title, "Blacklisted");
  assert.equal(standingWords(listed, NOW).details[0], "It lied.");
  assert.equal(standingWords({ ...listed, blacklistedUntil: "2026-06-09T14:30:00" }, NOW).band, "out");
});

test("a state that this page does not know is shown by its name", () => {
  assert.equal(standingWords({ ...STANDING, state: "retired" }, NOW).title, "Retired");
});

test("battery and network are told as far as they are known", () => {
  assert.equal(batteryWords({ ...AROUND, battery: 0.41, charging: false }), "41 %, on battery");
  assert.equal(batteryWords({ ...AROUND, battery: null, charging: true }), "Charging");
  assert.equal(batteryWords({ ...AROUND, battery: null, charging: null }), null);
  assert.equal(networkWords({ ...AROUND, metered: null }), null);
  assert.match(networkWords({ ...AROUND, metered: true }) ?? "", /^Metered/);
  assert.equal(networkWords({ ...AROUND, metered: null, online: false }), "No network");
  assert.equal(regionWords("south-america"), "South America");
});
