"""What a client makes of what comes back: of strangers' reports it believes what the broker vouches for."""

import numpy as np
import pytest

from broker_config import names
from starai.errors import BadInput, Cancelled, Expired, FailedOnDevice, UnknownModel
from starai.report import report_publication
from starai.tensor import pack
from starai.wire import Failure, Reason, Report, State, Tensor

MODEL = "all-minilm-l6-v2"
ZERO = pack(np.zeros(2, np.float32))


def test_a_report_in_anothers_name_is_dropped(broker, client, start_device):
    def lie(asked):
        forged = asked.report(State.SUCCEEDED, device="another-device", output=ZERO)
        from_platform = asked.report(State.FAILED, device=None)
        return [
            report_publication(forged, asked.reply_to, asked.device),
            report_publication(from_platform, asked.reply_to, asked.device),
            asked.raw(forged.model_dump_json(exclude_none=True).encode()),  # nobody vouches for it
            asked.succeeded(),
        ]

    start_device(broker, lie)
    job = client.submit(MODEL, "a")

    assert job.result(10).tolist() == [1, ord("a")]
    assert len(job.reports) == 1


def test_junk_among_the_replies_is_dropped(broker, client, start_device):
    junk = [b"", b"\xff", b"null", b"[]", b"{}", b'{"task":', b"[" * 100_000, b'{"task":1,"state":"succeeded","at":0}']

    def answer(asked):
        strange = asked.report(State.SUCCEEDED, task="some-other-task", output=ZERO)
        return [
            *(asked.raw(body, user_id=asked.device) for body in junk),
            asked.raw(b" " * (9 * 1024 * 1024), user_id=asked.device),
            report_publication(strange, asked.reply_to, asked.device),
            asked.succeeded(),
        ]

    start_device(broker, answer)

    assert client.submit(MODEL, "a").result(10).tolist() == [1, ord("a")]


def test_of_several_results_of_one_task_the_first_counts(broker, client, start_device):
    start_device(broker, lambda asked: [asked.succeeded(), asked.say(State.SUCCEEDED, output=ZERO), asked.succeeded()])
    jobs = [client.submit(MODEL, "a"), client.submit(MODEL, "bb")]

    assert [job.result(10).tolist() for job in jobs] == [[1, ord("a")], [2, ord("b")]]
    assert all(len(job.reports) == 1 for job in jobs)


@pytest.mark.parametrize(
    ("reason", "error"),
    [(Reason.BAD_INPUT, BadInput), (Reason.UNKNOWN_MODEL, UnknownModel), (Reason.DEVICE, FailedOnDevice)],
)
def test_a_failure_is_raised_as_what_it_is(broker, client, start_device, reason, error):
    failure = Failure(reason=reason, message="it could not be done")
    start_device(broker, lambda asked: [asked.say(State.FAILED, failure=failure)])
    job = client.submit(MODEL, "a")

    for _ in range(2):
        with pytest.raises(error, match="it could not be done") as raised:
            job.result(10)
        assert raised.value.task == job.id


@pytest.mark.parametrize(
    ("state", "error"),
    [
        (State.EXPIRED, Expired),
        (State.CANCELLED, Cancelled),
        (State.FAILED, FailedOnDevice),
        (State.SUCCEEDED, FailedOnDevice),
    ],
)
def test_an_end_without_a_result_is_an_error(broker, client, start_device, state, error):
    start_device(broker, lambda asked: [asked.say(state)])

    with pytest.raises(error):
        client.submit(MODEL, "a").result(10)


@pytest.mark.parametrize(
    "output",
    [
        Tensor(dtype="<f4", shape=[2], data="!"),
        Tensor(dtype="<f4", shape=[3], data=ZERO.data),
        Tensor(dtype="<f4", shape=[0, 2**40, 2**40], data=""),
        Tensor(dtype="<f4", shape=[], data="AAAAAA=="),
        pack(np.zeros((1, 2), np.float32)),
        pack(np.zeros(2, np.int64)),
    ],
    ids=["no base64", "too short", "impossible", "no vector", "a row too many", "integers"],
)
def test_a_broken_result_is_an_error_and_the_client_goes_on(broker, client, start_device, output):
    def answer(asked):
        return [asked.say(State.SUCCEEDED, output=output) if asked.inputs == "broken" else asked.succeeded()]

    start_device(broker, answer)

    with pytest.raises(FailedOnDevice, match="tiny-device sent a broken result"):
        client.submit(MODEL, "broken").result(10)
    assert client.submit(MODEL, "a").result(10).tolist() == [1, ord("a")]


def test_a_list_is_not_answered_with_another_number_of_rows(broker, client, start_device):
    start_device(broker, lambda asked: [asked.say(State.SUCCEEDED, output=pack(np.zeros((3, 2), np.float32)))])

    with pytest.raises(FailedOnDevice, match="broken result"):
        client.submit(MODEL, ["a", "b"]).result(10)


def test_the_platform_may_end_any_task(broker, client):
    job = client.submit(MODEL, "a")
    with broker.channel() as channel:
        _, properties, _ = channel.basic_get("inference.asia.tiny.all-minilm-l6-v2", auto_ack=True)
        cancelled = Report(task=job.id, state=State.CANCELLED, at=0)
        report = report_publication(cancelled, properties.reply_to, names.PLATFORM)
        channel.basic_publish(report.exchange, report.key, report.body, report.properties)

    with pytest.raises(Cancelled, match=job.id):
        job.result(10)
