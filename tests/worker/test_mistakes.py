"""What an owner who errs is told."""

import pytest

from tests.worker.commands import command


@pytest.mark.parametrize("verb", ["pause", "resume", "exit", "status"])
def test_who_has_joined_no_network_is_told_so(verb, tmp_path):
    run = command(verb, "--enrolment", tmp_path / "none.json")

    assert run.exit_code == 1
    assert "has not joined a network" in run.output


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["paus"], "'pause'"),
        (["pause", "--four", "2h"], "--for"),
        (["pause", "--for", "2"], "write 30m, 12h or 7d"),
        (["exit", "--grase", "2"], "--grace"),
        (["exit", "--grace", "-1"], "not in the range"),
        (["service", "instal"], "'install'"),
        (["start", "--hours", "22-7"], "write 22:00-07:00"),
        (["start", "--only-when-idle-for", "ten"], "write 30m, 12h or 7d"),
        (["start", "--cpu-limt", "3"], "--cpu-limit"),
    ],
)
def test_a_typing_mistake_is_answered_with_what_was_meant(arguments, meant):
    run = command(*arguments)

    assert run.exit_code == 2
    assert meant in run.output
