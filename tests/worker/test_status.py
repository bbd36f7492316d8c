"""What an owner is shown of the device: what it does, and how it stands with its network."""

import json
from datetime import timedelta

import pytest

from tasks.greeting import Standing, StandingEvent
from tests.worker.commands import command
from worker.control import utc_now
from worker.standing_question import Asked

STANDS = Standing(
    device="lent",
    owner="ann [bold]",
    region="asia",
    state="inactive",
    since=utc_now(),
    trust=0.41,
    sound=False,
    demoted_below=0.7,
    sound_from=0.85,
    quarantined_below=0.45,
    blacklisted_below=0.2,
    quarantined_until=utc_now() + timedelta(minutes=15),
    condition="failed",
    checked_at=utc_now(),
    reason="it answered too late",
    events=(
        StandingEvent(at=utc_now(), kind="quarantined", reason="its trust fell to 0.41"),
        StandingEvent(
            at=utc_now(), kind="check-failed", reason="it answered too late", check="network", cost=0.1, trust=0.41
        ),
    ),
)


@pytest.fixture
def answered(broker, enrol, monkeypatch):
    """The enrolment of a device that its network tells how it stands."""
    monkeypatch.setattr("worker.status_command.ask_standing", lambda _: Asked(STANDS))
    return enrol(broker, "lent", "asia", 1)


def test_without_a_platform_the_status_is_shown_and_standard_error_says_so(
    broker, start, ask, gates, enrolment, until, monkeypatch
):
    monkeypatch.setattr("worker.standing_question.ANSWERED_WITHIN", 0.5)
    device = start(broker)
    job = ask("gate a")
    until(lambda: device.began("a"))

    run = command("status", "--enrolment", enrolment(device))
    gates.open("a")
    job.result(10)

    assert run.exit_code == 0
    assert f"{device.id} in asia" in run.stdout
    assert f"(process {device.process.pid})" in run.stdout
    assert "1 of 1 slots in use" in run.stdout
    assert "does not say how this device stands" in run.stderr


def test_the_status_in_json_is_one_object_on_standard_output(broker, start, enrolment, until, monkeypatch):
    monkeypatch.setattr("worker.standing_question.ANSWERED_WITHIN", 0.5)
    device = start(broker)

    found = json.loads(command("status", "--json", "--enrolment", enrolment(device)).stdout)

    assert (found["device"], found["running"], found["standing"]) == (device.id, True, None)
    assert found["status"]["doing"] == "serving"
    assert "Nobody answered" in found["problem"]


def test_a_device_whose_login_is_refused_is_told_that_it_may_be_blacklisted(broker, enrol):
    file = enrol(broker, "outcast", "asia", 1)
    broker.node.api.delete_user("outcast")

    run = command("status", "--enrolment", file)

    assert run.exit_code == 0
    assert "not running" in run.stdout
    assert "may be blacklisted" in run.stderr
    assert "its name is outcast" in run.stderr


def test_the_standing_is_shown_with_what_it_means_and_every_event_behind_it(answered):
    out = command("status", "--enrolment", answered).stdout

    assert "of ann [bold]" in out
    assert "0.41 of 1: it gets only what no other device has a slot for, until it is at 0.85" in out
    assert "below 0.45 takes it out of work for a time, below 0.20 it is shut out" in out
    assert "it gets no tasks until" in out
    rows = [line for line in out.splitlines() if "quarantined" in line or "check-failed (network)" in line]
    assert "its trust fell" in rows[0]
    assert all(word in rows[1] for word in ("0.10", "0.41", "it answered too late"))


def test_the_standing_is_in_the_json_as_the_network_told_it(answered):
    found = json.loads(command("status", "--json", "--enrolment", answered).stdout)

    assert Standing.model_validate(found["standing"]) == STANDS
