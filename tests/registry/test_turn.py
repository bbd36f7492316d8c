"""Turns: one process at a time."""

from registry.database import open_engine, reading, session
from registry.owners import add_owner, find_owner
from registry.turn import sweeping_turn


def test_a_turn_is_one_process_s_at_a_time(engine, url):
    other = open_engine(url)
    with sweeping_turn(engine) as first, sweeping_turn(other) as second:
        assert first
        assert not second
    with sweeping_turn(other) as again:
        assert again
    other.dispose()


def test_who_reads_sees_what_was_written_and_holds_up_nobody_who_writes(engine):
    with session(engine) as registry:
        add_owner(registry, "ada")

    with reading(engine) as reader:
        assert find_owner(reader, "ada").name == "ada"
        with session(engine) as registry:
            add_owner(registry, "bob")
