"""What RabbitMQ is told about web STOMP, its way in for phones, whose browsers speak no AMQP. Nothing here does I/O.

It is RabbitMQ's own plugin: the users, permissions and limits are those of AMQP, and so is what enforces them.
"""

from collections.abc import Mapping

#: The plugin; it brings the one for STOMP, whose own listeners stay closed.
PLUGIN = "rabbitmq_web_stomp"
# Headers of a frame, beside the largest body.
_HEADERS = 64 * 1024
# Milliseconds of silence after which a connection is closed, logged in or not: a client may ask for no heartbeats.
_SILENCE = 60_000


def plain(port: int | None, max_message: int) -> dict[str, object]:
    """Return the settings of the plain listener, which is for this machine alone, and of every connection.

    Args:
        port: where it listens.
        max_message: bytes of the largest message that the broker takes.
    """
    return {
        "stomp.listeners.tcp": "none",
        "web_stomp.tcp.ip": "127.0.0.1",
        "web_stomp.tcp.port": port,
        # What is no UTF-8 ends a browser's connection, where frames are of text.
        "web_stomp.ws_frame": "binary",
        "web_stomp.ws_opts.max_frame_size": max_message + _HEADERS,
        "web_stomp.ws_opts.idle_timeout": _SILENCE,
        # A few bytes that unpack to many would pass by the limit of a frame.
        "web_stomp.ws_opts.compress": "false",
    }


def encrypted(port: int | None, address: str, options: Mapping[str, object]) -> dict[str, object]:
    """Return the settings of the encrypted listener.

    Args:
        port: where it listens.
        address: of the interface on which it listens.
        options: certificate, key, authority, versions, as ``ssl_options`` has them.
    """
    listener: dict[str, object] = {"web_stomp.ssl.ip": address, "web_stomp.ssl.port": port}
    return listener | {f"web_stomp.ssl.{name}": value for name, value in options.items()}


def advanced(max_message: int) -> str:
    """Return what only the file of Erlang terms takes on every version.

    Without a default user a CONNECT that names none is refused; the plugin's own default is ``guest``. RabbitMQ 4.3 has
    a limit for a frame of who has logged in, below what a task may be; it bounds strangers by itself.
    """
    return f"{{rabbitmq_stomp, [{{default_user, []}}, {{max_frame_size, {max_message}}}]}}"
