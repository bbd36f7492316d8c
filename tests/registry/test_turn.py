"""Turns: one process at a time."""

import threading

from registry.database import open_engine, reading, session
from registry.owners import add_owner, find_owner
from registry.turn import Turn, turn


def test_a_turn_is_one_process_s_at_a_time(engine, url):
    other = open_engine(url)
    with turn(engine, Turn.SWEEP) as first, turn(other, Turn.SWEEP) as second:
        assert first
        assert not second
    with turn(other, Turn.SWEEP) as again:
        assert again
    other.dispose()


def test_turns_for_different_things_do_not_meet(engine):
    with turn(engine, Turn.SWEEP) as sweeps, turn(engine, Turn.HEALTH) as checks:
        assert sweeps
        assert checks


def test_who_is_patient_gets_the_turn_when_another_s_ends(engine):
    ends = threading.Event()
    with turn(engine, Turn.HEALTH):
        waiting = threading.Thread(target=lambda: _take(engine, ends))
        waiting.start()
        assert not ends.is_set()
    waiting.join(20)
    assert ends.is_set()


def _take(engine, ends):
    with turn(engine, Turn.HEALTH, patience=20) as alone:
        if alone:
            ends.set()


def test_who_reads_sees_what_was_written_and_holds_up_nobody_who_writes(engine):
    with session(engine) as registry:
        add_owner(registry, "ada")

    with reading(engine) as reader:
        assert find_owner(reader, "ada").name == "ada"
        with session(engine) as registry:
            add_owner(registry, "bob")
