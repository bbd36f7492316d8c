"""``RESULTS.md``: one section for each RabbitMQ and benchmark; measuring one again replaces its own alone."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from bench.machine import Machine
from bench.report import Report, Table, Target, number

Key = tuple[str, str]

_SECTION = re.compile(r"<!-- (?P<version>\S+) (?P<name>\S+) -->\n(?P<text>.*?)\n<!-- end -->", re.DOTALL)
# Written by hand: why a target is missed, and where the time goes.
_CONCLUSIONS = Path(__file__).with_name("conclusions.md")
_ORDER = ("overhead", "recorder", "health", "recovery", "embedding", "browser", "generation", "placement", "growth")
_PREAMBLE = """# Results

Measured by `make bench`, which writes this file. Every figure is the median of several runs, interleaved with those
it is compared with, on one private RabbitMQ node with quorum queues and publisher confirms, all on one machine.
"""


def write_results(path: Path, machine: Machine, report: Report) -> None:
    """Put a report into the file, in place of an earlier one of the same benchmark and RabbitMQ."""
    found = sections(path.read_text("utf-8")) if path.exists() else {}
    key = (machine.versions["RabbitMQ"], report.name)
    path.write_text(whole({**found, key: section(machine, report)}), "utf-8")


def sections(text: str) -> dict[Key, str]:
    """Return the sections of the file by RabbitMQ's version and benchmark."""
    return {(found["version"], found["name"]): found["text"] for found in _SECTION.finditer(text)}


def whole(found: Mapping[Key, str]) -> str:
    """Return the file with these sections, the newest RabbitMQ first, after what is concluded from them."""
    lines = [_PREAMBLE, _CONCLUSIONS.read_text("utf-8")]
    for version in sorted({version for version, _ in found}, key=_numbers, reverse=True):
        lines.append(f"## RabbitMQ {version}\n")
        for name in sorted((name for v, name in found if v == version), key=_ORDER.index):
            lines.append(f"<!-- {version} {name} -->\n{found[version, name]}\n<!-- end -->\n")
    return "\n".join(lines)


def section(machine: Machine, report: Report) -> str:
    """Return a report in Markdown."""
    parts = [f"### {report.name}", *report.notes, *map(_table, report.tables)]
    if report.targets:
        parts.append(_table(targets_table(report.targets)))
    return "\n\n".join([*parts, _machine(machine)])


def targets_table(targets: Sequence[Target]) -> Table:
    """Return the targets with what was measured."""
    rows = [(target.what, target.goal, number(target.measured), target.verdict) for target in targets]
    return Table("Targets", ("target", "goal", "measured", ""), rows)


def _table(table: Table) -> str:
    return "\n".join(_table_lines(table))


def _table_lines(table: Table) -> Iterator[str]:
    yield f"**{table.title}**\n"
    yield f"| {' | '.join(table.columns)} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(row)} |"


def _machine(machine: Machine) -> str:
    load = "" if machine.load is None else f", load average {machine.load:g} at the start"
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return (
        f"*{machine.cpu}, {machine.cores} cores, {number(machine.memory_bytes / 2**30)} GiB{load}; {versions}; "
        f"`{machine.command}`, {machine.date}.*"
    )


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]
