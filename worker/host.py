"""What a device asks of a model that it hosts."""

from typing import Protocol

from tasks.output import Model


class Host(Model, Protocol):
    """A model that this device hosts, until it is closed."""

    @property
    def pid(self) -> int | None:
        """The id of the process that has the model in it, or ``None`` while there is none of its own."""

    def close(self) -> None:
        """End the model; what still runs fails with a :class:`ModelError`."""
