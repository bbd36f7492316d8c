"""Peers: they answer, and they end with the benchmark or say why they ended before."""

import threading

import psutil
import pytest

from bench.errors import BenchError
from bench.peer import Peer

pytestmark = pytest.mark.process


def echo(control, greeting):
    control.listen(control.say)
    control.say(greeting)
    threading.Event().wait()


def fail(control):
    raise RuntimeError("no broker here")


def test_a_peer_answers_and_ends_when_it_is_closed():
    with Peer(echo, "ready") as peer:
        assert peer.ask("hello") == "hello"
        process = psutil.Process(peer.pid)
    assert not process.is_running()


def test_a_peer_that_fails_says_why():
    with pytest.raises(BenchError, match="no broker here"), Peer(fail):
        pass
