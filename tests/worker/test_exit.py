"""How a device leaves: nothing is lost, the network hears of it, and nobody waits who does not want to."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from broker_config import names
from tasks.envelope import read
from tasks.greeting import GOODBYE, Goodbye
from worker.cli import main
from worker.console import on_console_event
from worker.control import Control
from worker.departure import Departure

ROOT = Path(__file__).parents[2]


@pytest.fixture
def begin_exit(enrolment):
    """Return a function that begins `starai-worker exit`, as a process of its own."""
    begun = []

    def begin(device, *more):
        script = [sys.executable, "-P", "-m", "worker.cli", "exit", "--enrolment", str(enrolment(device)), *more]
        begun.append(subprocess.Popen(script, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT))
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


def goodbyes(broker):
    """Return the goodbyes that wait for the platform, each with who the broker says that sent it."""
    found = []
    with broker.channel() as channel:
        while (message := channel.basic_get(names.REPORTS, auto_ack=True))[0]:
            if message[0].routing_key == GOODBYE:
                found.append((message[1].user_id, read(Goodbye, message[2])))
    return found


def test_a_device_that_exits_finishes_what_runs_and_says_how_it_ended(
    broker, start, ask, gates, begin_exit, enrolment, until
):
    device = start(broker, slots=2)
    jobs = [ask("gate a"), ask("gate a")]
    until(lambda: (status := Control(enrolment(device)).status()) and status.running == 2)

    leaving = begin_exit(device)
    until(lambda: "device.draining" in device.log)
    gates.open("a")
    for job in jobs:
        job.result(10)

    out, _ = leaving.communicate(timeout=20)
    assert leaving.returncode == 0
    assert out.startswith("The device has ended: 2 tasks finished.")
    assert device.process.wait(5) == 0


def test_what_outlasts_the_grace_is_done_by_another_device_and_the_network_hears_of_it_first(
    broker, start, ask, gates, begin_exit, until
):
    device = start(broker)
    job = ask("gate a")
    until(lambda: device.began("a"))
    other = start(broker)

    out, _ = begin_exit(device, "--grace", "0.2", "--json").communicate(timeout=20)

    assert json.loads(out) == {"ran": True, "ending": {"finished": 0, "left": 1, "told": False}}  # no platform is there
    until(lambda: other.began("a"))
    gates.open("a")
    assert job.result(10) is not None
    assert device.process.wait(5) == 0


def test_a_task_whose_model_cannot_be_stopped_goes_back_all_the_same(broker, start, ask, begin_exit, until):
    device = start(broker)
    job = ask("take 60")
    until(lambda: job.reports)
    other = start(broker)

    begin_exit(device, "--grace", "0.2")

    until(lambda: job.reports[-1].device == other.id, 10)


@pytest.mark.parametrize("way", ["SIGTERM", "SIGINT", "lifeline", "exit"])
def test_every_way_to_leave_says_goodbye_over_the_devices_own_login(broker, start, begin_exit, until, way):
    device = start(broker)

    if way == "lifeline":
        device.process.stdin.close()
    elif way == "exit":
        begin_exit(device)
    else:
        device.signal(getattr(signal, way))

    found = []
    until(lambda: found.extend(goodbyes(broker)) or found)
    assert found == [(device.id, Goodbye(left=0))]
    assert device.process.wait(10) == 0


def test_a_goodbye_tells_how_many_tasks_are_left_to_others(broker, start, ask, begin_exit, until):
    device = start(broker)
    ask("gate a")
    until(lambda: device.began("a"))

    begin_exit(device, "--grace", "0")

    found = []
    until(lambda: found.extend(goodbyes(broker)) or found)
    assert found == [(device.id, Goodbye(left=1))]


def test_the_second_signal_ends_a_device_within_a_second_and_still_says_goodbye(broker, start, ask, until):
    device = start(broker)
    ask("gate a")
    until(lambda: device.began("a"))
    device.signal(signal.SIGINT)
    until(lambda: "device.draining" in device.log)
    goodbyes(broker)

    began = time.monotonic()
    device.signal(signal.SIGINT)

    assert device.process.wait(5) == 1
    assert time.monotonic() - began < 1.0
    assert goodbyes(broker) == [(device.id, Goodbye(left=1))]


def test_a_signal_after_an_exit_that_waits_is_the_first_one(broker, start, ask, gates, begin_exit, until):
    device = start(broker)
    job = ask("gate a")
    until(lambda: device.began("a"))
    begin_exit(device)
    until(lambda: "device.draining" in device.log)

    device.signal(signal.SIGTERM)  # a system that shuts down
    gates.open("a")

    job.result(10)
    assert device.process.wait(10) == 0


def test_an_exit_with_less_grace_shortens_one_that_waits(broker, start, ask, begin_exit, until):
    device = start(broker)
    ask("gate a")
    until(lambda: device.began("a"))
    first = begin_exit(device, "--grace", "300")
    until(lambda: "device.draining" in device.log)

    begin_exit(device, "--grace", "0")

    out, _ = first.communicate(timeout=20)
    assert "1 task handed to other devices" in out


def test_a_device_that_failed_does_not_say_goodbye(broker, start, until):
    device = start(broker)

    device.signal(signal.SIGKILL)
    device.process.wait()

    assert goodbyes(broker) == []


def test_where_no_device_runs_an_exit_says_so_and_is_no_failure(broker, enrol):
    run = CliRunner().invoke(main, ["exit", "--enrolment", str(enrol(broker, "asleep", "asia", 1))])

    assert (run.exit_code, run.output) == (0, "No device runs here.\n")


def test_a_device_that_dies_while_it_leaves_is_no_success(broker, start, ask, begin_exit, until):
    device = start(broker)
    ask("gate a")
    until(lambda: device.began("a"))
    leaving = begin_exit(device)
    until(lambda: "device.draining" in device.log)

    device.signal(signal.SIGKILL)
    device.process.wait()

    out, _ = leaving.communicate(timeout=10)
    assert leaving.returncode == 1
    assert "did not say how" in out


class Leaver:
    """A device that is asked to leave: what its departure sees of one."""

    done, running = 3, 1

    def __init__(self):
        self.said, self.closed = [], 0

    def say_goodbye(self, left, within):
        self.said.append(left)
        return True

    def close(self):
        self.closed += 1


@pytest.fixture
def departure(monkeypatch):
    monkeypatch.setattr("celery.worker.state.should_stop", None)
    made = Departure(Leaver(), 30.0)
    made.begin_serving()
    return made


def test_a_departure_that_nobody_asked_for_is_a_failure_without_a_goodbye(departure):
    departure.take_leave()

    assert (departure.ended, departure._device.said, departure._device.closed) == (None, [], 1)


def test_a_goodbye_is_said_once_however_often_it_ends(departure):
    departure.ask()
    departure._device.done += 2

    departure.take_leave()
    departure.take_leave()

    assert departure._device.said == [1]
    assert departure.ended.model_dump() == {"finished": 2, "left": 1, "told": True}


def test_asking_again_changes_nothing_but_the_grace_where_one_is_given(departure):
    departure.ask(10.0)
    departure.ask()
    assert 9.0 < departure.time_left <= 10.0

    departure.ask(1.0)

    assert 0.0 < departure.time_left <= 1.0


def test_closing_a_windows_console_asks_and_waits_until_the_device_is_gone(departure, until):
    handled = []
    waits = threading.Thread(target=lambda: handled.append(on_console_event(departure, 2)))
    waits.start()
    until(lambda: departure.asked)
    departure.take_leave()
    waits.join(2)

    assert handled == [True]
    assert not on_console_event(departure, 0)  # Ctrl-C is a signal


def test_a_device_that_is_told_to_exit_while_it_starts_ends_at_once_and_cleanly(broker, enrol, monkeypatch, until):
    file = enrol(broker, "slow", "asia", 1)
    script = (
        "import time, worker.run as run; run._start_hosts = lambda *_: (print('loading', flush=True), time.sleep(60))"
    )
    script += "; from worker.cli import main; main()"
    starting = subprocess.Popen(
        [sys.executable, "-c", script, "start", "--enrolment", str(file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert starting.stdout.readline() == "loading\n"

    run = CliRunner().invoke(main, ["exit", "--enrolment", str(file)])

    _, log = starting.communicate(timeout=10)
    assert (run.exit_code, starting.returncode) == (0, 0), log
    assert "The device has ended: nothing ran." in run.output
    assert not Control(file).runs()
    assert "Traceback" not in log
