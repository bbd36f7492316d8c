"""What stood at the broker between looks, and that no honest device is contradicted by it, however old it is."""

import bisect
import itertools
import math
from dataclasses import dataclass, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from broker_config import names
from broker_config.audit import Allowance
from broker_config.priority import priority
from broker_config.regions import Region
from broker_config.roles import device_role
from broker_config.sample import Sample
from broker_config.tiers import Tier
from tasks.health.finding import Verdict
from tasks.health.sight import DEAD, FIGURES, Claims, Look, Sight, seen_of, sights_of
from tasks.health.workload import Claim, check_workload, claim_of
from tests.health.answered import DEVICE, asked
from tests.health.hand_device import MODEL, readings

HOME = names.task_queue(Region.ASIA, Tier.TINY, MODEL)
SLOTS = 2
# Connections of a device that the broker admits, dead ones that still count among them.
ADMITTED = device_role(DEVICE, ()).connections
ALLOWED = {DEVICE: Allowance(frozenset(names.task_queues(Tier.TINY, MODEL)), slots=SLOTS)}


def channel(held=0, given=0, acknowledged=0, name="c1", user=DEVICE):
    statistics = {"deliver_get": given, "ack": acknowledged} if given else []
    return {
        "name": name,
        "user": user,
        "connection_details": {"name": name},
        "messages_unacknowledged": held,
        "message_stats": statistics,
    }


def consumer(tag, price=100, queue=HOME, prefetch=1):
    return {
        "queue": {"name": queue},
        "channel_details": {"user": DEVICE, "name": "c1"},
        "consumer_tag": tag,
        "arguments": {"x-priority": price},
        "prefetch_count": prefetch,
        "ack_required": True,
    }


def looks(*shown, apart=60.0):
    """Return looks that begin a period apart, each at such channels and consumers."""
    return [
        Look(turn * apart, sights_of(Sample(list(consumers), list(channels)), ALLOWED))
        for turn, (channels, consumers) in enumerate(shown)
    ]


def seen(found, claim=Claim(0, 0, 0.9), after=10.0, before=70.0, slots=SLOTS):  # noqa: B008
    return seen_of(DEVICE, found, Claims(after, before, {DEVICE: claim}), Region.ASIA, slots)


def test_what_two_looks_find_counts_and_what_one_finds_does_not():
    wrong, right = ((), [consumer("a", 1000)]), ((), [consumer("b", 100)])

    assert [f.detail for f in seen(looks(wrong, wrong)).findings] == [f"1000 on {HOME}"]
    assert seen(looks(wrong, right)).findings == seen(looks(right, wrong)).findings == ()
    assert seen(looks(wrong)).findings == ()


def test_a_task_that_was_held_in_three_looks_stood():
    still = ([channel(held=2, given=5, acknowledged=3)], ())

    assert seen(looks(still, still, still)).stood.held == 2
    assert seen(looks(still, still)).stood is None


def test_tasks_that_come_and_go_do_not_stand_though_as_many_are_there_in_every_look():
    moving = [([channel(held=2, given=given, acknowledged=given - 2)], ()) for given in (5, 6, 7)]

    assert seen(looks(*moving)).stood.held == 0


def test_where_nobody_counts_what_came_nothing_stands():
    assert seen(looks(*[([channel(held=2)], ())] * 3)).stood.held == 0


def test_consumers_stand_by_their_tags_with_their_priorities_at_home():
    abroad = names.task_queue(Region.EUROPE, Tier.TINY, MODEL)
    shown = [([], [consumer("a", 100), consumer("b", 90, abroad), consumer(str(turn))]) for turn in range(3)]

    stood = seen(looks(*shown)).stood
    assert (stood.consumers, stood.prices) == (2, (36,))


def test_of_a_device_with_a_long_ladder_or_several_models_no_priorities_are_compared():
    shown = looks(*[([], [consumer("a")])] * 3)

    assert seen(shown, slots=64).stood.prices == ()
    assert seen_of(DEVICE, shown, Claims(10.0, 70.0, {DEVICE: Claim(0, 0, 0.9)}), None, SLOTS).stood.prices == ()


def test_claims_that_the_looks_do_not_enclose_are_not_compared():
    still = looks(*[([channel(held=2, given=5)], ())] * 3)

    assert seen(still, after=-1.0).stood is None
    assert seen(still, before=120.0 - FIGURES - DEAD + 1).stood is None
    assert seen_of(DEVICE, still, None, Region.ASIA, SLOTS).stood is None
    assert seen(looks(*[([channel(held=2, given=5)], ())] * 3, apart=5.0), after=1.0, before=2.0).stood is None


def test_a_device_that_hides_what_it_holds_is_found_in_the_third_look():
    hidden = ([channel(held=2, given=2)], [consumer("a")])

    finding = check_workload(asked(), readings(), seen(looks(hidden, hidden, hidden)))

    assert finding.verdict is Verdict.FAILED
    assert "It holds 2 tasks at the broker and says 0." in finding.reason


def test_others_than_devices_are_no_concern():
    assert sights_of(Sample([], [channel(user="platform")]), ALLOWED) == {}


@dataclass(frozen=True)
class Has:
    """What a device has at one moment, over its connection of that number."""

    held: int = 0
    given: int = 0
    acknowledged: int = 0
    tags: tuple[str, ...] = ()
    connection: int = 0


class Life:
    """What a device has from one moment to the next; what it loses with a connection, it forgets at once."""

    def __init__(self, deeds, begins=-59.0):
        self.times, self.states = [begins], [Has(tags=("0",))]
        for number, (deed, seconds) in enumerate(deeds, start=1):
            self.times.append(self.times[-1] + seconds)
            self.states.append(after(deed, self.states[-1], str(number)))

    def at(self, when):
        return self.states[max(bisect.bisect_right(self.times, when) - 1, 0)]

    def shown(self, when, late, dead):
        """Return what the broker shows: figures that are late, and connections that died and still count."""
        moment = when - late
        past = list(itertools.takewhile(lambda known: known[0] <= moment, zip(self.times, self.states, strict=True)))
        last = {state.connection: state for _, state in past} or {0: self.at(moment)}
        gone = {state.connection - 1: time for time, state in reversed(past) if state.connection}
        counted = [state for number, state in last.items() if gone.get(number, math.inf) + dead >= moment][-ADMITTED:]
        return (
            [channel(s.held, s.given, s.acknowledged, f"c{s.connection}") for s in counted],
            [consumer(tag) for s in counted for tag in s.tags],
        )


def after(deed, has, tag):
    if deed == "take" and has.held < SLOTS:
        return replace(has, held=has.held + 1, given=has.given + 1)
    if deed in ("end", "return") and has.held:
        return replace(has, held=has.held - 1, acknowledged=has.acknowledged + (deed == "end"))
    if deed == "open" and len(has.tags) < SLOTS:
        return replace(has, tags=(*has.tags, tag))
    if deed == "close":
        return replace(has, tags=has.tags[1:])
    return Has(tags=(tag,), connection=has.connection + 1) if deed == "lose" else has


CYCLES, ANSWERED_WITHIN = 10, 14.0
DEEDS = st.sampled_from(["take", "take", "end", "return", "open", "close", "lose"])
# Few different times, so that things often happen at the same moment of different cycles.
PAUSES = st.sampled_from([0.01, 1.0, 3.0, 10.0, 25.0, 50.0, 59.0, 120.0])


# What may repeat itself, in step with the cycles as well.
DAYS = st.lists(st.tuples(DEEDS, PAUSES), min_size=2, max_size=12)


def each_cycle(*choices):
    return st.lists(st.sampled_from(choices), min_size=CYCLES, max_size=CYCLES)


# A burst of tasks in step with the cycles: held in every look, and ended at every answer.
BURSTS = Life([("take", 10.0), ("end", 50.0)] * 12)


@settings(max_examples=500)
@example(BURSTS, [4.0] * CYCLES, 0.0, [6.0] * CYCLES, 60.0)
@given(
    st.builds(lambda deeds, times: Life(deeds * times), DAYS, st.sampled_from([1, 5, 10, 10])),
    each_cycle(0.0, 4.0, FIGURES),
    st.sampled_from([0.0, DEAD]),
    each_cycle(0.0, 2.0, 6.0, ANSWERED_WITHIN),
    st.sampled_from([ANSWERED_WITHIN + 1, 20.0, 30.0, 45.0, 60.0, 70.0]),
)
def test_an_honest_device_is_never_contradicted_however_old_the_figures_are(life, late, dead, answers, period):
    found, claims, told_at = [], None, None
    for cycle, answer in enumerate(answers):
        began = cycle * period
        sights = sights_of(Sample(*reversed(life.shown(began + 1.0, late[cycle], dead))), ALLOWED)
        found = [*found, Look(began + 1.0, {DEVICE: Sight()} | sights)][-3:]
        has = life.at(began + answer)
        result = seen_of(DEVICE, found, claims, Region.ASIA, SLOTS)
        said = readings(running=has.held, consumers=len(has.tags))

        assert check_workload(asked(), said, result).verdict is Verdict.PASSED

        before, told_at = told_at, began + ANSWERED_WITHIN
        claims = None if before is None else Claims(before, told_at, {DEVICE: claim_of(said)})


#: Seconds within which a device renews a priority, and for which its load stays at least (``worker/prices.py``,
#: ``worker/load.py``).
RENEWED, RESTS = 5.5, 6.0


def rungs(loads, delays, speed):
    """Return when a device of one slot opened which consumer, with which priority, as its load moved."""
    price = [priority(home=Region.ASIA, queue=Region.ASIA, load=load, speed=speed) for _, load in loads]
    opened = [(-math.inf, 0)]
    for number, ((since, _), delay) in enumerate(zip(loads, itertools.cycle(delays))):
        if price[number] != price[opened[-1][1]]:
            opened.append((since + delay, number))
    return [(since, consumer(str(number), price[number])) for since, number in opened]


def valid(when, values):
    return [value for since, value in values if since <= when][-1]


@settings(max_examples=500)
@given(
    st.lists(st.tuples(st.floats(RESTS, 80) | st.just(60 - RESTS), st.integers(0, 10)), min_size=1, max_size=12),
    st.lists(st.floats(0, RENEWED), min_size=1, max_size=5),
    st.floats(0, 1),
    each_cycle(0.0, 4.0, FIGURES),
    each_cycle(0.0, 2.0, 6.0, ANSWERED_WITHIN),
)
def test_an_honest_devices_priorities_are_never_contradicted_by_its_load(steps, delays, speed, late, answers):
    since = itertools.accumulate((seconds for seconds, _ in steps * 12), initial=-60.0)
    loads = [(-math.inf, 0.0), *zip(since, (tenths / 10 for _, tenths in steps * 12), strict=False)]
    opened, found, claims = rungs(loads, delays, speed), [], None
    for cycle, answer in enumerate(answers):
        began = cycle * 60.0
        there = [valid(began + 1.0 - late[cycle], opened)]
        found = [*found, Look(began + 1.0, sights_of(Sample(there, []), ALLOWED))][-3:]
        said = readings(consumers=1, load=valid(began + answer, loads))

        assert check_workload(asked(), said, seen_of(DEVICE, found, claims, Region.ASIA, 1)).verdict is Verdict.PASSED

        told = {DEVICE: claim_of(said)}
        claims = Claims(began - 60 + ANSWERED_WITHIN, began + ANSWERED_WITHIN, told)
