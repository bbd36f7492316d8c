"""What the registry has of the tasks of one batch of the ledger's messages, and what the batch changes there."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field

from registry.ledger_entries import DeadLettered, Marked, Reported
from registry.ledger_rows import AttemptRow, InputRow, Key, ResultRow, TaskRow, UsageKey, Used


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry has of the tasks and devices that a batch names.

    Attributes:
        attempts: of each task, by their runs.
        hosts: devices with the models that each hosts, by their wire names.
        owners: of the devices, by their numbers.
    """

    tasks: dict[Key, TaskRow] = field(default_factory=dict)
    attempts: dict[Key, dict[str, AttemptRow]] = field(default_factory=dict)
    hosts: Set[tuple[str, str]] = frozenset()
    owners: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """A report that was not believed, and why."""

    report: Reported
    reason: str


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows to write, by what is to be done with them, and what is not written.

    Attributes:
        spent_inputs: tasks whose inputs are not needed any more.
        usage: what is to be added.
        orphans: reports of tasks that nobody submitted, as far as is known.
    """

    new_tasks: list[TaskRow] = field(default_factory=list)
    changed_tasks: list[TaskRow] = field(default_factory=list)
    new_attempts: list[AttemptRow] = field(default_factory=list)
    changed_attempts: list[AttemptRow] = field(default_factory=list)
    inputs: list[InputRow] = field(default_factory=list)
    spent_inputs: list[Key] = field(default_factory=list)
    results: list[ResultRow] = field(default_factory=list)
    usage: dict[UsageKey, Used] = field(default_factory=dict)
    marks: list[Marked] = field(default_factory=list)
    dead_letters: list[DeadLettered] = field(default_factory=list)
    orphans: list[Reported] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    @property
    def tasks(self) -> list[TaskRow]:
        """The tasks that changed, as they are now."""
        return self.new_tasks + self.changed_tasks

    @property
    def attempts(self) -> list[AttemptRow]:
        """The attempts that changed, as they are now; each is of a device that the task may have been given."""
        return self.new_attempts + self.changed_attempts
