"""`starai jobs`, as a submitter at a real broker with a platform that answers."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from broker_config.roles import submitter_role
from broker_config.users import put_user
from ops.access import open_registry
from registry.database import session
from registry.task_state import Action, TaskState
from registry.task_tables import Task, TaskAction, TaskInput
from tasks.platform import Platform

NOW = datetime.now(UTC)


def task(name, submitter="ann", **columns):
    known = {"region": "asia", "target": "no-model", "reply_to": f"reply.{submitter}-1", "bytes_in": 2}
    times = {"submitted_at": NOW, "expires_at": NOW + timedelta(hours=1)}
    return Task(submitter=submitter, id=name, **known | times | columns)


@pytest.fixture
def _as_ann(operated, monkeypatch) -> Iterator[None]:
    """The commands reach a network with a platform, as its submitter ann, who has some jobs there."""
    monkeypatch.setenv("STARAI_BROKER_URL", operated.url())
    platform = Platform()
    platform.open()
    put_user(operated.api, "ann", "hunter2", submitter_role("ann"))
    monkeypatch.setenv("STARAI_BROKER_URL", operated.url("ann", "hunter2"))
    add(
        task("job-waiting"),
        task("job-failed", state=TaskState.FAILED, ended_at=NOW, reason="device", message="out of \x1b[31mmemory"),
        TaskInput(submitter="ann", task="job-failed", body=b"[]"),
        TaskAction(submitter="ann", task="job-failed", action=Action.REPUBLISHED, reason="it was lost"),
        task("job-old", submitted_at=NOW - timedelta(days=2), state=TaskState.SUCCEEDED, ended_at=NOW),
        task("job-of-bob", "bob"),
    )
    yield
    platform.close()


def add(*rows):
    with open_registry() as engine, session(engine) as registry:
        registry.add_all(rows)


pytestmark = pytest.mark.usefixtures("_as_ann")


def listed(run, *arguments):
    result = run("jobs", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return {job["id"] for job in json.loads(result.stdout)["jobs"]}


def test_jobs_are_listed_by_default_and_only_ones_own(run):
    assert listed(run) == listed(run, "list") == {"job-waiting", "job-failed", "job-old"}
    assert "job-waiting" in run("jobs").stdout


def test_jobs_are_listed_by_state_and_time(run):
    assert listed(run, "--state", "failed", "--state", "queued") == {"job-waiting", "job-failed"}
    assert listed(run, "--since", "1d") == {"job-waiting", "job-failed"}
    assert listed(run, "list", "--limit", "1") < {"job-waiting", "job-failed"}
    assert run("jobs", "--state", "lost").exit_code == 2


def test_a_job_is_shown_with_what_the_platform_did_with_it(run):
    shown = run("jobs", "show", "job-failed").stdout
    data = json.loads(run("jobs", "show", "job-failed", "--json").stdout)

    assert "republished: it was lost" in shown
    assert "out of" in shown
    assert "\x1b" not in shown
    assert (data["state"], data["reason"], data["actions"][0]["action"]) == ("failed", "device", "republished")


def test_a_job_is_cancelled(run):
    data = json.loads(run("jobs", "cancel", "job-waiting", "--json").stdout)

    assert data["cancelled_at"]


def test_a_job_that_failed_is_retried(run):
    result = run("jobs", "retry", "job-failed", "--deadline", "60")

    assert result.exit_code == 0
    assert "queued" in result.stdout
    assert json.loads(run("jobs", "show", "job-failed", "--json").stdout)["actions"][-1]["action"] == "retried"


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_what_cannot_be_done_is_said_in_a_line(run, verb):
    result = run("jobs", verb, "job-old")

    assert result.exit_code == 1
    assert "succeeded" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("verb", ["show", "cancel", "retry"])
def test_an_unknown_job_is_named_with_the_nearest(run, verb):
    for name, meant in (("job-wait", "job-waiting"), ("job-fialed", "job-failed"), ("job-of-bob", "")):
        result = run("jobs", verb, name)

        assert result.exit_code == 1
        assert f"Did you mean: {meant}" in result.stderr if meant else name in result.stderr
    assert run("jobs", "show", "what is this").exit_code == 1


def test_who_has_no_jobs_is_told_how_to_submit_one(run, operated, monkeypatch):
    put_user(operated.api, "eve", "hunter2", submitter_role("eve"))
    monkeypatch.setenv("STARAI_BROKER_URL", operated.url("eve", "hunter2"))

    assert "starai submit MODEL TEXT" in run("jobs").stdout


def test_help_says_whose_jobs_they_are(run):
    assert "STARAI_BROKER_URL" in run("jobs", "--help").stdout
