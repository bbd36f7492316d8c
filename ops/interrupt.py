"""How a command in the foreground is stopped."""

import signal


def stop_on_signals() -> None:
    """Let SIGTERM stop this process as Ctrl-C does, and Ctrl-C also where a script started it in the background."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
