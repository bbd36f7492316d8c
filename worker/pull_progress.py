"""How far the fetching of a model is: a bar on a terminal, elsewhere a line now and then."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from models.fetch import OnProgress
from models.room import gb

#: Seconds between two lines.
EVERY = 10.0


@contextmanager
def showing(model: str, console: Console) -> Iterator[OnProgress]:
    """Yield what is told how far it is, and shows it."""
    if console.is_terminal:
        with _bars(console) as progress:
            task = progress.add_task(model, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
    else:
        yield Lines(model).show


def _bars(console: Console) -> Progress:
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(TextColumn("{task.description}", markup=False), *columns, console=console)


class Lines:
    """A line at the beginning and every ten seconds, on standard error."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._begun: float | None = None
        self._first = 0
        self._shown = 0.0

    def show(self, done: int, total: int) -> None:
        """Show how far it is, if it is time for that."""
        now = time.monotonic()
        if self._begun is None:
            self._begun, self._first, self._shown = now, done, now
            kept = f", {gb(done)} of that are here" if done else ""
            click.echo(f"{self._model}: {gb(total)} to fetch{kept}", err=True)
        elif now - self._shown >= EVERY:
            self._shown = now
            click.echo(f"{self._model}: {gb(done)} of {gb(total)}{self._pace(done, total, now)}", err=True)

    def _pace(self, done: int, total: int, now: float) -> str:
        speed = (done - self._first) / max(now - (self._begun or now), 1e-3)
        if speed <= 0:
            return ""
        return f", {speed / 1e6:.1f} MB/s, {(total - done) / speed:.0f} s left"
