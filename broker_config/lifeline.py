"""The lifeline: a process that ends when the one that started it ends, however that one ended.

Whoever starts the process holds its standard input open and writes nothing. The system closes it with the
starter, also after SIGKILL, and on every system.
"""

import sys
import threading
from collections.abc import Callable


def watch_lifeline(on_end: Callable[[], None]) -> None:
    """Call ``on_end``, on a thread of its own, once standard input has ended."""

    def watch() -> None:
        sys.stdin.buffer.read()
        on_end()

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
