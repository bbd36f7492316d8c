"""Jobs known by their ids, in whatever process."""

import asyncio

import numpy as np
import pytest

from registry.database import session
from registry.task_state import TaskState
from registry.task_tables import Task, TaskResult
from starai import Client
from starai.errors import BadInput, BrokerUnreachable, JobUnknown, ResultGone
from starai.tensor import pack
from starai.wire import Report, State
from tests.jobs.hand_device import FAILURE, MODEL


def test_another_process_finds_a_job_by_its_id(recorder, connect, device, until, is_known):
    job = connect().submit(MODEL, ["a", "bbb"])
    other = connect()
    until(lambda: is_known(other, job.id))
    assert other.job(job.id).status().state == "queued"

    device.end()
    result = other.job(job.id).result(20)

    assert result.tolist() == [[1], [3]]
    status = other.job(job.id).status()
    assert (status.state, status.device, status.region, status.target) == ("succeeded", "device-1", "asia", MODEL)
    assert (status.items, status.attempts) == (2, 1)
    assert status.submitted_at <= status.started_at <= status.ended_at < status.expires_at


def test_a_job_known_by_its_id_is_waited_for(recorder, connect, device, until, is_known):
    job = connect().submit(MODEL, ["a"])
    other = connect()
    until(lambda: is_known(other, job.id))
    known = other.job(job.id)

    async def ask():
        waiting = asyncio.gather(known, known)
        await asyncio.sleep(0)
        await asyncio.to_thread(device.end)
        return await waiting

    one, two = asyncio.run(ask())
    assert one.tolist() == two.tolist() == [[1]]
    assert known.model == MODEL


def test_a_submitter_that_is_gone_finds_its_results_when_it_comes_back(
    recorder, broker, connect, device, until, is_known
):
    with Client(broker.submitter("ann"), region="asia") as client:
        task = client.submit(MODEL, ["abc"]).id
    device.end()  # nobody listens any more

    back = connect()
    until(lambda: is_known(back, task))
    assert back.job(task).result(20).tolist() == [[3]]


def test_anothers_job_is_unknown(recorder, connect, device, until, is_known):
    client, stranger = connect(), connect("bob")
    job = client.submit(MODEL, ["a"])
    until(lambda: is_known(client, job.id))
    theirs = stranger.job(job.id)

    for ask in (theirs.status, theirs.result, theirs.retry):
        with pytest.raises(JobUnknown, match=job.id):
            ask()
    assert stranger.jobs() == []
    assert theirs.cancel().state == "cancelled"  # a task of its own that nobody knows

    device.end()
    assert job.result(20).tolist() == [[1]]
    assert client.job(job.id).status().cancelled_at is None


def test_jobs_are_listed_by_state(recorder, connect, device, until):
    client = connect()
    failed, waiting = client.submit(MODEL, ["a"]), client.submit(MODEL, ["b"])
    device.end(State.FAILED, failure=FAILURE)
    until(lambda: client.jobs(state="failed"))

    (status,) = client.jobs(state=["failed", "expired"])
    assert (status.id, status.reason, status.message) == (failed.id, "device", "out of memory")
    assert [job.id for job in client.jobs(state="queued")] == [waiting.id]
    assert [job.id for job in asyncio.run(client.ajobs(limit=1))] == [waiting.id]
    assert client.jobs(since=status.submitted_at)[-1].id == failed.id


def test_a_long_list_comes_page_after_page(engine, connect):
    with session(engine) as registry:
        registry.add_all(Task(submitter="ann", id=f"t{number:04}") for number in range(2500))

    listed = connect().jobs(limit=2200)

    assert len({job.id for job in listed}) == 2200


def test_a_job_that_this_client_submitted_is_the_live_one(broker, connect):
    client = connect()
    job = client.submit(MODEL, ["a"])

    assert client.job(job.id) is job


def test_a_result_that_is_not_kept_any_more_is_said_to_be_gone(engine, connect):
    with session(engine) as registry:
        registry.add(Task(submitter="ann", id="t1", state=TaskState.SUCCEEDED))

    with pytest.raises(ResultGone, match="submit it anew"):
        connect().job("t1").result()


def test_a_result_that_no_report_brought_is_found_in_the_ledger_at_the_deadline(engine, broker, connect):
    client = connect(timeout=5)
    job = client.submit(MODEL, ["a"], deadline=0.1)
    job._patience.set(-5)  # beyond the grace
    report = Report(
        task=job.id, state=State.SUCCEEDED, at=0, device="device-1", output=pack(np.ones((1, 1), np.float32))
    )
    with session(engine) as registry:
        registry.add(Task(submitter="ann", id=job.id, state=TaskState.SUCCEEDED))
        registry.add(TaskResult(submitter="ann", task=job.id, body=report.model_dump_json().encode()))

    assert job.result().tolist() == [[1]]


def test_without_a_platform_the_error_names_the_cause(broker, connect):
    client = connect(timeout=0.3)

    with pytest.raises(BrokerUnreachable, match=r"did not answer `list` within 0\.3 s\. Does it run"):
        client.jobs()
    with pytest.raises(BrokerUnreachable, match="did not answer `status`"):
        asyncio.run(client.job("t1").astatus())
    with pytest.raises(BadInput, match="no task's id"):
        client.job("what is this?")
    with pytest.raises(BadInput, match="queued"):
        client.jobs(state="lost")


def test_what_a_submitter_just_submitted_is_told_of_before_the_ledger_knows(engine, connect):
    client = connect()
    job = client.submit(MODEL, ["a"])

    status = job.status()

    assert (status.id, status.state, status.target) == (job.id, "queued", MODEL)
    with pytest.raises(JobUnknown, match="ask again"):
        connect().job(job.id).status()
