/** When the device pauses by itself, and what its owner is told. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_PREFERENCES, type Preferences, type Surroundings } from "../src/contract.ts";
import { COOL_DOWN, conditions } from "../src/device/manners.ts";
import { MOMENT, PauseRule, SETTLE } from "../src/device/pause_rule.ts";

const WELL: Surroundings = { charging: true, battery: 1, metered: false, online: true, hiddenSince: null };
const MINUTE = 60_000;

/** Return why a device pauses that begins in these surroundings. */
function why(around: Partial<Surroundings>, wish: Partial<Preferences> = {}, at = 0): string | null {
  const rule = new PauseRule();
  rule.update(conditions({ ...DEFAULT_PREFERENCES, ...wish }, { ...WELL, ...around }, false, at), 0);
  return rule.why(0);
}

interface Watched {
  rule: PauseRule;
  at: (now: number, around: Partial<Surroundings>, isSlow?: boolean) => string | null;
}

/** A rule that is told how things are at a time. */
function watched(): Watched {
  const rule = new PauseRule();
  return {
    rule,
    at: (now, around, isSlow = false) => {
      rule.update(conditions(DEFAULT_PREFERENCES, { ...WELL, ...around }, isSlow, 0), now);
      return rule.why(now);
    },
  };
}

test("a phone that charges on Wi-Fi works", () => {
  assert.equal(why({}), null);
  assert.equal(why({ battery: 0.05 }), null);
});

test("without a charger it works above half of its battery", () => {
  assert.equal(why({ charging: false, battery: 0.51 }), null);
  const low = "the battery is at 40 % and not charging; it goes on above 50 %";
  assert.equal(why({ charging: false, battery: 0.4 }), low);
  assert.match(why({ charging: false, battery: 0.5 }) ?? "", /at 50 %/);
});

test("its owner may have it work only while it charges, whatever its battery", () => {
  const wish = { onlyWhileCharging: true };
  assert.match(why({ charging: false, battery: 1 }, wish) ?? "", /not charging/);
  assert.equal(why({ charging: true, battery: 0.1 }, wish), null);
});

test("where the browser does not tell of the battery, its owner's word counts", () => {
  const unknown = { charging: null, battery: null };
  assert.match(why(unknown) ?? "", /does not tell how the battery is/);
  assert.equal(why(unknown, { ownerSaysPowered: true }), null);
  assert.equal(why(unknown, { ownerSaysPowered: true, onlyWhileCharging: true }), null);
});

test("its owner's word counts for nothing where the browser does tell", () => {
  assert.match(why({ charging: false, battery: 0.2 }, { ownerSaysPowered: true }) ?? "", /20 %/);
  assert.match(why({ metered: true }, { ownerSaysUnmetered: true }) ?? "", /metered/);
});

test("on a metered connection it pauses, unless its owner allows that", () => {
  assert.match(why({ metered: true }) ?? "", /metered/);
  assert.equal(why({ metered: true }, { notMetered: false }), null);
  assert.match(why({ metered: null }) ?? "", /does not tell whether the connection is metered/);
  assert.equal(why({ metered: null }, { ownerSaysUnmetered: true }), null);
});

test("a page that was hidden for as long as its owner allows pauses it", () => {
  assert.equal(why({ hiddenSince: 0 }, {}, 10 * MINUTE - 1), null);
  assert.match(why({ hiddenSince: 0 }, {}, 10 * MINUTE) ?? "", /for 10 minutes/);
  assert.match(why({ hiddenSince: 0 }, { hiddenMinutes: 1 }, MINUTE) ?? "", /for a minute/);
});

test("what comes and goes within a moment pauses nothing", () => {
  const { at } = watched();
  at(0, {});
  assert.equal(at(1, { metered: true }), null);
  assert.equal(at(1 + MOMENT - 0.1, { metered: true }), null);
  assert.equal(at(1 + MOMENT, {}), null);
});

test("what stays wrong pauses it, and what is well again for a while lets it go on", () => {
  const { at } = watched();
  at(0, {});
  at(1, { metered: true });
  assert.match(at(1 + MOMENT, { metered: true }) ?? "", /metered/);
  assert.match(at(5, {}) ?? "", /metered.*\(until a short while ago\)/);
  assert.match(at(4 + SETTLE - 0.1, {}) ?? "", /until a short while ago/);
  assert.equal(at(4 + SETTLE + 0.1, {}), null);
});

test("what is wrong when it begins counts at once", () => {
  assert.match(watched().at(0, { metered: true }) ?? "", /metered/);
});

test("a phone that is too slow rests for minutes", () => {
  const { rule, at } = watched();
  at(0, {});
  at(1, {}, true);
  assert.match(at(1 + MOMENT, {}, true) ?? "", /hot or busy/);
  assert.ok(rule.isHeldBy("slow"));
  assert.match(at(COOL_DOWN, {}) ?? "", /hot or busy/);
  assert.equal(at(1 + MOMENT + COOL_DOWN, {}), null);
});

test("what is wrong now is told before what was", () => {
  const { at } = watched();
  at(0, { online: false });
  assert.match(at(1, { online: true, charging: false, battery: 0.1 }) ?? "", /offline/);
  assert.match(at(1 + MOMENT, { charging: false, battery: 0.1 }) ?? "", /battery/);
});
