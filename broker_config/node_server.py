"""Finds the RabbitMQ that is installed on this machine."""

import os
import shutil
import sys
from pathlib import Path

from broker_config.errors import NodeError

# The one on Debian's path insists on being root or the user rabbitmq.
_PLACES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",
    "/opt/homebrew/sbin/rabbitmq-server",
    "/usr/local/sbin/rabbitmq-server",
)
_INSTALL = {
    "linux": "sudo apt-get install rabbitmq-server",
    "darwin": "brew install rabbitmq",
    "win32": "winget install Erlang.ErlangOTP, then choco install rabbitmq",
}


def server_executable() -> str:
    """Return the `rabbitmq-server` to run: ``STARAI_RABBITMQ_SERVER``, else the machine's own.

    Raises:
        NodeError: there is none; the message says how to install one.
    """
    chosen = os.environ.get("STARAI_RABBITMQ_SERVER")
    if chosen:
        if shutil.which(chosen):
            return chosen
        raise NodeError(f"STARAI_RABBITMQ_SERVER names {chosen}, which is not an executable.")
    places = (*_PLACES, *_windows_places())
    found = next((place for place in places if Path(place).exists()), None) or shutil.which("rabbitmq-server")
    if not found:
        how = _INSTALL.get(sys.platform, "see RabbitMQ's installation guide")
        raise NodeError(f"RabbitMQ is not installed. Install it with: {how}")
    return found


def _windows_places() -> list[str]:
    root = Path(os.environ.get("PROGRAMFILES", "")) / "RabbitMQ Server"
    return sorted((str(path) for path in root.glob("rabbitmq_server-*/sbin/rabbitmq-server.bat")), reverse=True)


if __name__ == "__main__":
    try:
        sys.stdout.write(server_executable() + "\n")
    except NodeError as error:
        raise SystemExit(str(error)) from None
