from dataclasses import replace
from datetime import UTC, datetime

from registry.ledger_entries import Reported
from starai.wire import State
from tasks.orphans import Orphans

REPORT = Reported(
    "ada", "t", datetime(2026, 5, 1, tzinfo=UTC), "reply.ada-1", State.STARTED, "d", "r", None, None, None, 9, b""
)


def test_an_orphan_is_put_back_once():
    orphans, other = Orphans(), replace(REPORT, state=State.SUCCEEDED)
    assert orphans.to_put_back([REPORT]) == [REPORT]
    assert orphans.to_put_back([REPORT, other]) == [other]


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr("tasks.orphans._REMEMBERED", 2)
    orphans = Orphans()
    many = [replace(REPORT, task=f"t{number}") for number in range(3)]
    assert orphans.to_put_back(many) == many
    assert orphans.to_put_back(many[1:]) == []
