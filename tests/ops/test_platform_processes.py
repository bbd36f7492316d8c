"""When a process of the platform is ready."""

import sys

from ops.platform_processes import PLATFORM, PlatformProcess
from ops.process import Process


def test_a_process_that_reads_a_queue_is_ready_when_somebody_reads_it():
    reader = PlatformProcess("reader", (), consumes="ledger")

    assert reader.is_ready(None, {"ledger", "reports"})
    assert not reader.is_ready(None, {"reports"})


def test_a_process_that_reads_none_is_ready_when_it_says_so(tmp_path, until):
    teller = PlatformProcess("teller", (), says="teller.ready")
    process = Process("teller", [sys.executable, "-c", "input(); print('teller.ready')"], tmp_path)
    try:
        assert not teller.is_ready(process, {"ledger"})
        process._process.stdin.write(b"\n")
        process.release()
        until(lambda: teller.is_ready(process, ()))
    finally:
        process.kill()


def test_the_recorder_is_stopped_last_and_every_process_can_be_ready():
    assert PLATFORM[0].name == "recorder"
    assert all((part.consumes is None) != (part.says is None) for part in PLATFORM)
