"""RESULTS.md keeps what was measured before."""

from dataclasses import replace

import pytest

from bench.machine import Machine
from bench.report import Report, Table, Target
from bench.results import sections, write_results

OLD, NEW = "3.10.8", "4.3.6"
REPORT = Report("overhead", ["What was measured."], [Table("Times", ("", "ms"), [("StarAI", "1.5")])], [])


def machine(rabbitmq):
    return Machine(
        cpu="A processor",
        cores=2,
        memory_bytes=8 * 2**30,
        load=0.1,
        versions={"RabbitMQ": rabbitmq},
        command="python -m bench",
        date="2026-01-01",
    )


def test_a_section_says_on_what_it_was_measured(tmp_path):
    write_results(tmp_path / "results.md", machine(OLD), REPORT)
    text = (tmp_path / "results.md").read_text("utf-8")

    for part in ("| StarAI | 1.5 |", "A processor, 2 cores, 8 GiB", "RabbitMQ 3.10.8", "`python -m bench`"):
        assert part in text


def test_another_rabbitmq_or_benchmark_gets_a_section_beside(tmp_path):
    file = tmp_path / "results.md"
    write_results(file, machine(OLD), REPORT)
    write_results(file, machine(NEW), REPORT)
    write_results(file, machine(NEW), replace(REPORT, name="growth"))
    text = file.read_text("utf-8")

    assert set(sections(text)) == {(OLD, "overhead"), (NEW, "overhead"), (NEW, "growth")}
    assert text.index(f"## RabbitMQ {NEW}") < text.index(f"## RabbitMQ {OLD}")


def test_measuring_again_replaces_the_section_of_its_own_and_no_other(tmp_path):
    file = tmp_path / "results.md"
    write_results(file, machine(OLD), REPORT)
    write_results(file, machine(NEW), REPORT)
    write_results(file, machine(NEW), replace(REPORT, notes=["Anew."]))
    found = sections(file.read_text("utf-8"))

    assert "Anew." in found[NEW, "overhead"]
    assert "Anew." not in found[OLD, "overhead"]


def test_writing_the_same_again_changes_nothing(tmp_path):
    file = tmp_path / "results.md"
    write_results(file, machine(OLD), REPORT)
    before = file.read_text("utf-8")
    write_results(file, machine(OLD), REPORT)

    assert file.read_text("utf-8") == before


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("a ratio", 1.5, 1.5), "met"),
        (Target("a ratio", 1.51, 1.5), "missed"),
        (Target("a rate", 99, 100, at_most=False), "missed"),
        (Target("a rate", 99, 100, at_most=False, applies=False), "not meant for this RabbitMQ"),
    ],
)
def test_a_target_is_met_or_missed(target, verdict, tmp_path):
    assert target.verdict == verdict

    write_results(tmp_path / "results.md", machine(OLD), replace(REPORT, targets=[target]))
    assert verdict in (tmp_path / "results.md").read_text("utf-8")
