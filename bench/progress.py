"""Progress on standard error: which measurement runs, and how many there are."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Progress(Protocol):
    """Called as each measurement begins, with what it is."""

    def __call__(self, what: str) -> None: ...


@contextmanager
def progress(title: str, measurements: int) -> Iterator[Progress]:
    """Show a bar for that many measurements."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    begun = 0
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=measurements)

        def begin(what: str) -> None:
            nonlocal begun
            bar.update(task, description=f"{title}: {what}", completed=begun)
            begun += 1

        yield begin
        bar.update(task, description=title, completed=measurements)
