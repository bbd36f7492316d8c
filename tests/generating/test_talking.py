"""Texts through a whole network: generated, streamed, cancelled, and begun anew when something dies."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from starai.errors import BadInput, Cancelled, ClientClosed, Restarted
from starai.generation import ChatMessage, FinishReason, Guidance, GuidanceKind, Options
from starai.request import JobState
from starai.wire import State
from tests.generating.conftest import LONG, VARIED
from tests.models.tiny_models import ANSWERS, MOST

pytestmark = [pytest.mark.process, pytest.mark.xdist_group("generating")]

LLAMA, PHI = "tiny-llama", "tiny-phi3"
GREEDY = Options(max_tokens=MOST)


def prompt_of(answer):
    messages = [ChatMessage(**message) for message in answer["messages"]]
    return messages or answer["prompt"]


def maker(stream):
    """Return the device that makes a stream's text now."""
    return next(report.device for report in reversed(stream.job.reports) if report.state is State.STARTED)


@pytest.fixture
def begin(whole, client, until):
    """Return a function that begins to read a text, and returns it with its first pieces and the device that makes it.

    From then on no model goes on until the network is told to resume. The pieces are long enough that no other text
    begins alike by chance.
    """

    def begun(options=LONG, **more):
        stream = client.stream(LLAMA, "The device", options=options, **more)
        first = [next(stream)]
        while len("".join(first)) < 40:
            first.append(next(stream))
        whole.hold()
        until(lambda: any(report.state is State.STARTED for report in stream.job.reports))
        return stream, first, maker(stream)

    return begun


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: f"{answer['model']} {answer['name']}")
def test_a_text_is_what_the_original_model_makes_wherever_it_is_made(client, answer):
    streamed = client.stream(answer["model"], prompt_of(answer), options=GREEDY)
    job = client.submit(answer["model"], prompt_of(answer), options=GREEDY, region="europe")

    assert "".join(streamed) == answer["text"] == job.result(60).text == streamed.result().text
    assert job.result().prompt_tokens == len(answer["prompt_tokens"])


def test_a_text_may_be_awaited_and_read_in_asyncio(client):
    async def read():
        stream = await client.astream(LLAMA, "The device", options=GREEDY)
        return "".join([piece async for piece in stream]), await stream.aresult()

    text, generated = asyncio.run(read())

    assert text == generated.text == ANSWERS[0]["text"]


def test_a_text_follows_its_options(client):
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    guided = Options(max_tokens=60, guidance=Guidance(kind=GuidanceKind.JSON_SCHEMA, text=json.dumps(schema)))
    seeded = Options(max_tokens=20, temperature=1.5, seed=7, top_p=0.9, top_k=50)
    stopped = GREEDY.model_copy(update={"stop": ["that"]})

    first, second = (client.submit(PHI, "What?", options=seeded).result(60).text for _ in range(2))
    ended = client.submit(LLAMA, "The device", options=stopped).result(60)

    assert first == second
    assert (ended.text, ended.finish_reason) == ("her4 ", FinishReason.STOP)
    assert client.submit(LLAMA, "{", options=guided).result(60).text.strip().startswith("{")


@pytest.mark.parametrize(
    ("inputs", "options", "reason"),
    [
        (["one", "two"], None, "one prompt or one conversation"),
        ("a " * 3000, None, "context"),
        ("", None, "empty"),
        ("a", Options(guidance=Guidance(kind=GuidanceKind.JSON_SCHEMA, text="no schema")), "cannot generate so"),
    ],
)
def test_what_the_model_cannot_take_is_its_submitters_fault(client, inputs, options, reason):
    with pytest.raises(BadInput, match=reason):
        client.submit(LLAMA, inputs, options=options).result(60)


def test_a_cancelled_text_ends_at_once_and_its_model_goes_on(whole, client, begin, until):
    stream, _, device = begin()
    models = whole.models_of(device)

    stream.job.cancel()

    with pytest.raises(Cancelled):
        list(stream)
    whole.resume()
    until(whole.is_whole, 60)
    assert whole.models_of(device) == models
    assert client.submit(LLAMA, "The device", options=GREEDY).result(60).text == ANSWERS[0]["text"]


def test_a_text_that_nobody_reads_any_more_is_cancelled(client, begin, until):
    stream, _, _ = begin()
    job = stream.job

    del stream

    until(lambda: job.done, 60)
    with pytest.raises(Cancelled):
        job.result()


def test_a_client_that_is_closed_cancels_what_it_reads(whole, client, begin, until):
    stream, _, _ = begin()
    client.close()

    with pytest.raises((ClientClosed, Cancelled)):  # whichever it hears first
        list(stream)
    whole.resume()
    until(whole.is_whole, 60)


def test_a_device_that_dies_in_mid_stream_is_followed_by_another_with_the_same_text(whole, client, begin):
    alone = client.submit(LLAMA, "The device", options=LONG).result(60).text
    stream, first, device = begin()

    whole.network.devices[device].kill()
    whole.resume()
    rest = list(stream)

    assert "".join(first + rest) == alone == stream.result().text
    assert rest[-1].run != first[-1].run
    assert maker(stream) != device


def test_another_text_of_the_next_device_is_told_and_begins_anew(whole, begin):
    stream, _, device = begin(VARIED)

    whole.network.devices[device].kill()
    whole.resume()
    with pytest.raises(Restarted, match="anew"):
        for _ in stream:
            pass

    assert "".join(stream) == stream.result().text


def test_a_model_that_dies_in_mid_stream_is_followed_by_a_new_one(whole, client, begin, until):
    stream, _, device = begin(VARIED)
    before = whole.models_of(device)

    for model in before:
        model.kill()
    whole.resume()
    with pytest.raises(Restarted):
        for _ in stream:
            pass

    assert "".join(stream) == stream.result().text
    assert State.REQUEUED in [report.state for report in stream.job.reports]
    until(lambda: len(whole.models_of(device)) > 0 and not set(before) & set(whole.models_of(device)), 60)


def test_a_model_that_hangs_is_ended_after_the_lease_and_the_device_goes_on_with_a_new_one(whole, begin, until):
    stream, first, device = begin(lease=2)
    before = whole.models_of(device)
    for model in set(whole.held) - set(before):
        model.resume()

    text = "".join([*first, *stream])

    assert text == stream.result().text
    assert "gave no answer within 2 s" in whole.log_of(device)
    until(lambda: set(whole.models_of(device)) - set(before), 60)


def test_a_text_may_take_longer_than_its_lease_as_long_as_it_gets_on(client):
    jobs = [client.submit(LLAMA, f"The device {number}", options=LONG, lease=1) for number in range(6)]

    assert [job.result(120).tokens for job in jobs] == [LONG.max_tokens] * 6
    assert max(job.result().seconds for job in jobs) > 1
    assert {job.status().attempts for job in jobs} == {1}


def test_a_model_that_is_silent_for_three_heartbeats_costs_its_device_no_connection(whole, begin, until):
    stream, first, device = begin(lease=120)
    connections = whole.connections_of(device)

    silent_since = time.monotonic()
    until(lambda: time.monotonic() - silent_since > 32, 40)  # as while it reads a long prompt

    assert connections
    assert whole.connections_of(device) == connections
    whole.resume()
    assert "".join([*first, *stream]) == stream.result().text
    assert stream.job.status().attempts == 1


def test_ctrl_c_ends_a_text_that_is_printed(whole, client, until, tmp_path):
    log = tmp_path / "printed"
    command = [sys.executable, "-P", "-m", "ops.cli", "submit", LLAMA, "--stream", "--max-tokens", "2000", "--raw", "a"]
    with log.open("wb") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=printed, env=os.environ | {"PYTHONUNBUFFERED": "1"})
        until(lambda: log.stat().st_size > 0, 60)
        process.send_signal(signal.SIGINT)

        assert process.wait(30) != 0
    until(lambda: client.jobs(limit=1)[0].state in (JobState.CANCELLED, JobState.SUCCEEDED), 60)
