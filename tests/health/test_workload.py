"""The fifth check: what the device says that it runs, against what the broker showed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_config.audit import Finding, Kind
from broker_config.priority import GOOD_STANDING, priority
from broker_config.regions import Region
from tasks.health.finding import Verdict
from tasks.health.workload import Claim, Seen, Stood, check_workload, claim_of, most_priority, within_band
from tests.health.answered import asked
from tests.health.hand_device import MODEL, readings

PHI = "phi3-3.8b"
NOTHING = Seen()


def found(seen=NOTHING, models=(MODEL,), **changes):
    return check_workload(asked(models=frozenset(models)), readings(**changes), seen)


def stood(tasks=0, load=0.1, **shown):
    """Return what stood while the device said so many tasks, two consumers, and that load."""
    return Seen(stood=Stood(Claim(tasks, 2, load), **shown))


def test_what_could_not_be_looked_at_is_unchecked():
    finding = found(None)

    assert (finding.verdict, finding.reason) == (
        Verdict.UNCHECKED,
        "The broker was not looked at for it this time.",
    )


def test_what_agrees_passes_with_both_figures():
    finding = found(Seen(connections=2, consumers=2, unacknowledged=1), running=1)

    assert finding.verdict is Verdict.PASSED
    assert (finding.figures["running"], finding.figures["held_at_broker"]) == (1, 1)


@pytest.mark.parametrize("seen", [Seen(), None])
def test_a_device_of_which_no_model_runs_fails_with_the_reason_of_one(seen):
    finding = found(seen, models=(MODEL, PHI), broken={MODEL: "no memory", PHI: "a file is missing"})

    assert finding.verdict is Verdict.FAILED
    assert finding.reason.startswith(f"None of its models runs: {MODEL}: no memory. Start it again;")


def test_one_broken_model_of_several_passes_with_the_reason_in_the_figures():
    finding = found(models=(MODEL, PHI), broken={PHI: "no memory"})

    assert finding.verdict is Verdict.PASSED
    assert (finding.figures["broken"], finding.figures["first_broken"]) == (1, f"{PHI}: no memory")


def test_a_model_that_it_does_not_host_may_be_as_broken_as_it_likes():
    assert found(models=(), broken={PHI: "no memory"}).verdict is Verdict.PASSED


def test_what_the_audit_found_twice_fails_and_says_what_it_does():
    finding = found(Seen(findings=(Finding("device-1", Kind.PRIORITY, "1000 on inference.asia"),)))

    assert finding.verdict is Verdict.FAILED
    assert finding.reason.startswith("It claims a priority that it does not have: 1000 on inference.asia. StarAI does")


def test_tasks_that_it_held_all_the_time_and_never_says_fail():
    assert found(stood(tasks=0, held=3)).reason.startswith("It holds 3 tasks at the broker and says 0. Start it again;")


def test_what_it_says_by_now_is_no_contradiction_any_more():
    assert found(stood(tasks=0, held=3), running=1, held=1, unsettled=1).verdict is Verdict.PASSED


def test_more_tasks_or_consumers_than_the_broker_shows_are_no_contradiction():
    assert found(stood(tasks=9, held=1, consumers=1), running=9).verdict is Verdict.PASSED


def test_consumers_that_stood_all_the_time_and_that_it_never_says_fail():
    assert found(stood(consumers=4)).reason.startswith("It has 4 consumers at the broker and says 2.")


def priced(*prices, load=0.9, busy=0, now=0.9, **changes):
    seen = stood(load=load, home=Region.ASIA, prices=prices, busy=busy)
    return found(seen, load=now, **changes)


def test_a_higher_priority_than_its_load_allows_fails_unless_a_task_may_have_kept_it():
    most = most_priority(Region.ASIA, 0.9)

    assert priced(most + 1, most).reason.startswith(f"It claims a priority of {most + 1} within its band; with a load")
    assert priced(most, most).verdict is Verdict.PASSED
    assert priced(most + 1, busy=1).verdict is Verdict.PASSED
    assert priced(most + 1, running=1).verdict is Verdict.PASSED


def test_the_lower_of_the_loads_that_it_said_counts():
    top = most_priority(Region.ASIA, 0.2)

    assert priced(top, load=0.2, now=0.9).verdict is Verdict.PASSED
    assert priced(top, load=0.9, now=0.2).verdict is Verdict.PASSED
    assert priced(top, load=0.9, now=0.9).verdict is Verdict.FAILED


shares = st.floats(0, 1)


@given(st.sampled_from(Region), shares, shares, shares, st.booleans())
def test_no_priority_that_a_device_may_have_under_its_load_is_too_high(home, load, own, speed, sound):
    under = load + (1.0 - load) * own
    price = priority(home=home, queue=home, load=under, speed=speed, sound=sound)

    assert within_band(price) <= most_priority(home, load)
    assert within_band(price + GOOD_STANDING * (not sound)) == within_band(price)


def test_a_claim_is_all_that_it_has_taken():
    assert claim_of(readings(running=1, held=2, unsettled=4, consumers=3, load=0.5)) == Claim(7, 3, 0.5)
