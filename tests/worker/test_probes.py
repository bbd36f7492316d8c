"""A device's answers to health probes: alone, and as a process on a real broker."""

import hashlib
import json
import secrets
import threading
from concurrent.futures import Future

import pytest

from broker_config import names
from starai.errors import SettingError
from tasks.envelope import InvalidMessage
from tasks.probe import Probe, Readings, read_report
from worker.keys import begin_rotation, finish_rotation, keys_beside, load_or_make_keys
from worker.probes import Prober

READINGS = Readings(
    load=0.0,
    processor=0.5,
    memory_left=1,
    disk_left=1,
    provider="x",
    broken={},
    running=0,
    held=0,
    unsettled=0,
    consumers=0,
)


class Sent:
    """Everything that was published."""

    def __init__(self) -> None:
        self.messages = []
        self.futures = []

    def __call__(self, publication):
        self.messages.append(publication)
        self.futures.append(Future())
        return self.futures[-1]


@pytest.fixture
def sent():
    return Sent()


@pytest.fixture
def keys(tmp_path):
    return keys_beside(tmp_path / "enrolment.json")


@pytest.fixture
def prober(sent, keys):
    return Prober("device-1", keys, lambda: READINGS, sent)


def test_an_answer_repeats_the_probe_and_is_signed_by_the_devices_key(prober, sent, keys):
    own = load_or_make_keys(keys)
    probe = Probe(cycle=7)

    prober.answer(probe)

    (message,) = sent.messages
    assert (message.exchange, message.key, message.properties.user_id) == ("reports", "health", "device-1")
    report = read_report(message.body, own.public_signing)
    assert (report.device, report.cycle, report.nonce, report.digest) == ("device-1", 7, probe.nonce, None)
    assert report.readings == READINGS


def test_padding_is_proven_to_have_arrived_and_comes_back(prober, sent):
    probe = Probe(cycle=7, padding=b"x" * 1000)

    prober.answer(probe)

    answer, echo = sent.messages
    assert read_report(answer.body, None).digest == hashlib.sha256(probe.padding).hexdigest()
    assert (echo.key, echo.body, echo.properties.correlation_id) == ("health", probe.padding, probe.nonce)


def test_a_device_without_keys_answers_unsigned_and_says_so_once(prober, sent, caplog):
    prober.answer(Probe(cycle=1))
    prober.answer(Probe(cycle=2))

    assert [read_report(message.body, None).cycle for message in sent.messages] == [1, 2]
    with pytest.raises(InvalidMessage, match="not signed"):
        read_report(sent.messages[0].body, bytes(32))
    assert [record.msg for record in caplog.records] == ["probe.unsigned"]


def test_keys_that_were_rotated_meanwhile_sign_the_next_answer(prober, sent, keys):
    load_or_make_keys(keys)
    prober.answer(Probe(cycle=1))

    begin_rotation(keys)
    new = finish_rotation(keys)
    prober.answer(Probe(cycle=2))

    assert read_report(sent.messages[1].body, new.public_signing).cycle == 2
    with pytest.raises(InvalidMessage):
        read_report(sent.messages[0].body, new.public_signing)


def test_of_probes_that_wait_only_the_newest_is_answered(sent, keys, until):
    goes_on = threading.Event()
    prober = Prober("device-1", keys, lambda: goes_on.wait() and READINGS, sent)
    prober.ask(Probe(cycle=1))
    until(lambda: prober._waiting is None)

    prober.ask(Probe(cycle=2))
    prober.ask(Probe(cycle=3))
    goes_on.set()

    until(lambda: len(sent.messages) == 2)
    assert [read_report(message.body, None).cycle for message in sent.messages] == [1, 3]


def test_an_answer_that_could_not_leave_is_withdrawn_by_the_next(prober, sent):
    prober.answer(Probe(cycle=1))

    prober.answer(Probe(cycle=2))

    assert [future.cancelled() for future in sent.futures] == [True, False]


def test_readings_that_fail_leave_the_next_probe_answered(sent, keys, until, caplog):
    answers = iter([None, READINGS])

    def take():
        if (answer := next(answers)) is None:
            raise SettingError("a fault of ours")
        return answer

    prober = Prober("device-1", keys, take, sent)

    prober.ask(Probe(cycle=1))
    until(lambda: "probe.unanswered" in caplog.text)
    prober.ask(Probe(cycle=2))

    until(lambda: sent.messages)
    assert read_report(sent.messages[0].body, None).cycle == 2


def with_keys(device):
    return load_or_make_keys((device.folder.parent / f"{device.id}.json").with_suffix(".keys.json"))


def test_a_device_that_runs_answers_a_probe_with_its_signature_and_its_padding(broker, start, order, heard):
    device = start(broker)
    own = with_keys(device)
    probe = Probe(cycle=3, padding=secrets.token_bytes(64 * 1024))

    order(device, probe=probe)

    user, body = heard()
    assert user == device.id
    report = read_report(body, own.public_signing)
    assert (report.device, report.cycle, report.nonce) == (device.id, 3, probe.nonce)
    assert report.readings.models == ("all-minilm-l6-v2",)
    assert report.readings.provider.endswith("ExecutionProvider")
    assert heard() == (device.id, probe.padding)


def test_a_device_that_runs_says_how_many_tasks_it_has_and_that_it_listens(
    broker, start, order, heard, ask, gates, until
):
    device = start(broker, slots=2)
    ask("gate a")
    until(lambda: device.began("a"))

    order(device, probe=Probe(cycle=1))

    told = read_report(heard()[1], None).readings
    gates.open("a")
    assert (told.running, told.held, told.unsettled) == (1, 0, 0)
    assert told.consumers >= 2


def test_a_device_that_is_told_that_it_fails_often_takes_the_lower_band_and_the_upper_again(
    broker, start, order, until
):
    device = start(broker)
    until(lambda: len(device.subscriptions()) == 6)

    order(device, sound=False)
    until(lambda: {price < 64 for _, price in device.subscriptions().values()} == {True}, 30)
    order(device, sound=True)

    until(lambda: {price >= 64 for _, price in device.subscriptions().values()} == {True}, 60)


def test_a_probe_of_a_stranger_is_not_answered(broker, start, order, heard, until):
    device = start(broker)
    forged = json.dumps({"probe": {"cycle": 9, "nonce": secrets.token_hex(16)}}).encode()
    with broker.channel() as channel:
        channel.basic_publish(names.DEVICES, device.id, forged)
    until(lambda: "order.dropped" in device.log)

    order(device, probe=Probe(cycle=1))

    assert read_report(heard()[1], None).cycle == 1
