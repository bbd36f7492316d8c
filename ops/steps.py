"""Progress of something that goes step by step: what happens now, and what each step took."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console


class Steps:
    """Shows the step under way with a spinner, and ticks it off when the next one begins."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._step: str | None = None
        self._begun = 0.0

    def __call__(self, step: str) -> None:
        """Begin a step; the one before it is done."""
        self._tick_off()
        self._step, self._begun = step, time.monotonic()
        self._status.update(step)

    def __enter__(self) -> Self:
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status.stop()
        if error is None:
            self._tick_off()

    def _tick_off(self) -> None:
        if self._step:
            seconds = time.monotonic() - self._begun
            self._console.print(f"[green]✓[/green] {self._step} [dim]{seconds:.1f} s[/dim]", highlight=False)
        self._step = None
