"""A model's process takes no more memory than a model of its size may."""

import os
from contextlib import closing

import pytest

from models.catalogue import load_catalogue
from models.host import ModelHost
from models.memory import most_bytes, taken_bytes
from models.need import needed_bytes
from models.plan import MOST_SLOTS
from models.pool import pools
from models.share import Share
from starai.errors import ModelCrashed
from tests.models.machines import machine

pytestmark = pytest.mark.process


def test_a_model_may_take_all_that_the_plan_reckons_with_its_slots_and_more_beside_a_driver():
    phi3 = load_catalogue().get("phi3-3.8b")
    pool = pools(machine(), Share(memory=1, threads=8))[-1]

    assert needed_bytes(phi3, pool, MOST_SLOTS) < most_bytes(phi3) < most_bytes(phi3, on_gpu=True)


def test_what_a_process_takes_is_known_and_of_one_that_is_gone_it_is_nothing():
    assert taken_bytes(os.getpid()) > 10**7
    assert taken_bytes(2**22 + 1) == 0


def test_a_model_takes_far_less_than_it_may_for_tasks_as_they_come(minilm):
    with closing(ModelHost(minilm.entry, minilm.folder, threads=1)) as host:
        host.run(["stone " * 250] * 16, 60)
        assert host.pid is not None
        assert 4 * taken_bytes(host.pid) < most_bytes(minilm.entry)


def test_a_process_that_takes_more_is_ended_and_what_it_ran_fails(minilm, monkeypatch):
    monkeypatch.setattr("models.process.most_bytes", lambda *_, **__: 50 * 10**6)
    with (
        closing(ModelHost(minilm.entry, minilm.folder, threads=1)) as host,
        pytest.raises(ModelCrashed, match=r"it took 0\.\d GB, and 0\.1 GB is the most"),
    ):
        host.run(["stone " * 250] * 4096, 60)
