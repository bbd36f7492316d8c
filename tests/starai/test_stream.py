"""A stream, as its reader sees it; what the network says is said by hand."""

import asyncio
import gc
import threading
from datetime import UTC, datetime

import pytest

from starai.answer import Expected
from starai.errors import Cancelled, Expired, FailedOnDevice, Restarted
from starai.generation import FinishReason, Generated
from starai.job import Job
from starai.reading import Reading
from starai.request import JobStatus
from starai.stream import Stream
from starai.wire import Report, State


class Asked:
    """Stands in for the ledger that a job asks: remembers what was cancelled."""

    def __init__(self):
        self.cancelled = []
        self.ledger = self

    def give_up(self, task, target):
        self.cancelled.append(task)

    def call_soon(self, function):
        function()

    def add(self, jobs):
        """Watch them, which nobody does here."""


@pytest.fixture
def asked():
    return Asked()


@pytest.fixture
def job(asked):
    return Job("t1", "phi3-3.8b", 600, Expected((Generated,)), asked)


@pytest.fixture
def stream(job):
    return Stream(job)


def piece(offset, text, run="first"):
    return Report(task="t1", state=State.PIECE, at=0, run=run, device="d", offset=offset, text=text)


def end(text, run="first"):
    generated = Generated(
        text=text,
        finish_reason=FinishReason.STOP,
        prompt_tokens=1,
        tokens=3,
        first_token_seconds=0.1,
        seconds=0.2,
    )
    return Report(task="t1", state=State.SUCCEEDED, at=0, run=run, device="d", output=generated)


def say(job, *reports):
    for report in reports:
        job.receive(report)


def test_pieces_come_with_their_attempts_id_and_then_the_rest(job, stream):
    say(job, piece(0, "Once "), piece(5, "upon"), end("Once upon a time"))

    assert [(str(each), each.run) for each in stream] == [("Once upon a time", "first")]
    assert stream.result().tokens == 3


def test_a_reader_waits_for_what_is_not_there_yet(job, stream):
    threading.Timer(0.05, say, (job, piece(0, "Once"))).start()
    assert next(stream) == "Once"

    threading.Timer(0.05, say, (job, end("Once upon"))).start()
    assert list(stream) == [" upon"]


def test_an_asynchronous_reader_waits_as_well(job, stream):
    async def read():
        return [each async for each in stream]

    threading.Timer(0.05, say, (job, piece(0, "Once"), end("Once upon"))).start()

    assert "".join(asyncio.run(read())) == "Once upon"


def test_another_text_of_another_device_is_told_and_goes_on_from_its_beginning(job, stream):
    say(job, piece(0, "Once "))
    assert next(stream) == "Once "
    say(job, piece(0, "On a ", "second"))

    with pytest.raises(Restarted) as told:
        next(stream)
    say(job, end("On a day", "second"))

    assert told.value.task == "t1"
    assert [(str(each), each.run) for each in stream] == [("On a day", "second")]


def test_the_same_text_of_another_device_goes_on_with_its_id(job, stream):
    say(job, piece(0, "Once "))
    assert next(stream) == "Once "

    say(job, piece(0, "Once upon", "second"))

    assert [next(stream).run, job.done] == ["second", False]


def test_a_task_that_ends_badly_ends_the_stream_so(job, stream):
    say(job, piece(0, "Once "), Report(task="t1", state=State.CANCELLED, at=0, device="d"))

    with pytest.raises(Cancelled):
        list(stream)


def test_an_array_is_no_text(job, stream):
    say(
        job,
        Report(task="t1", state=State.SUCCEEDED, at=0, device="d", output={"dtype": "<f4", "shape": [], "data": ""}),
    )

    with pytest.raises(FailedOnDevice, match="an array is no answer"):
        next(stream)


@pytest.mark.parametrize("how", ["closed", "left", "dropped"])
def test_a_stream_that_nobody_reads_any_more_cancels_its_task(job, asked, how):
    stream = Stream(job)
    say(job, piece(0, "Once "))

    if how == "closed":
        stream.close()
    elif how == "left":
        with stream:
            next(stream)
    else:
        for _ in stream:
            break
        del stream
        gc.collect()

    assert asked.cancelled == ["t1"]


def test_a_stream_that_was_read_to_its_end_cancels_nothing(job, asked, stream):
    say(job, end("Once"))

    with stream:
        assert list(stream) == ["Once"]

    assert asked.cancelled == []


def test_a_text_that_gets_on_is_waited_for_beyond_its_deadline(job, stream, monkeypatch):
    job._patience.set(0.0)
    monkeypatch.setattr("starai.patience._GRACE", 0.05)
    say(job, piece(0, "Once "))
    assert next(stream) == "Once "

    assert next(job.waits(None)) > 50


def test_a_text_of_which_nothing_is_heard_expires_with_its_task(stream, job, monkeypatch):
    monkeypatch.setattr("starai.patience._GRACE", 0.05)
    job._watch = None
    job._patience.set(0.0)

    with pytest.raises(Expired):
        next(stream)


def test_pieces_that_came_before_anybody_listened_are_there(job):
    job.reading = Reading()
    say(job, piece(0, "Once "), piece(5, "upon"))

    assert next(Stream(job)) == "Once upon"


def test_a_job_that_is_tried_again_is_read_on(job, stream):
    say(job, piece(0, "Once "), Report(task="t1", state=State.FAILED, at=0, device="d"))
    with pytest.raises(FailedOnDevice):
        list(stream)

    job._open_again(JobStatus(id="t1", state="queued", submitted_at=datetime.now(UTC)))
    threading.Timer(0.05, say, (job, end("Once upon", "second"))).start()

    assert "".join(stream) == "Once upon"


def test_a_device_that_sends_without_end_fills_nobodys_memory(job, stream, monkeypatch):
    monkeypatch.setattr("starai.reading.MAX_BODY", 10)

    say(job, *(piece(4 * number, "over") for number in range(100)))

    assert next(stream) == "overover"
    assert job.reports == []
