"""Logs as events: a stable key, then its context as ``key=value``."""

import logging
import sys
from typing import Any

_LIBRARIES = (
    "pika", "amqp", "kombu", "celery", "alembic", "httpx", "httpcore", "httpx2", "httpcore2", "huggingface_hub",
)  # fmt: skip
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class EventFormatter(logging.Formatter):
    """Formats a record as time, level, event and context, on one line."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """Return the line, with what was given as ``extra`` behind the event; a traceback follows on its own lines."""
        context: dict[str, Any] = {k: v for k, v in vars(record).items() if k not in _STANDARD}
        pairs = " ".join(f"{key}={_value(value)}" for key, value in context.items() if key != "data")
        return f"{super().formatMessage(record)} {pairs}".rstrip()


def _value(value: object) -> str:
    """Return the value on one line: strangers choose some of them."""
    text = str(value)
    return text if text.isprintable() else repr(text)


def log_to_stderr(level: int = logging.INFO) -> None:
    """Send this process's events to standard error; those of the libraries only from warnings on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(EventFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(max(level, logging.WARNING))
