"""The HTTP server."""

import logging
import socket
import ssl

import uvicorn
from starlette.types import ASGIApp

from broker_config.lifeline import watch_lifeline


def run(
    app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None, grace: int, *, lifeline: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM; what is under way then has so many seconds to end.

    Args:
        app: what answers.
        listener: where requests come.
        tls: what encrypts them.
        grace: the seconds.
        lifeline: whether to end with standard input too.

    Raises:
        KeyboardInterrupt: a signal ended it; see :mod:`ops.interrupt`.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace,
        ssl_context_factory=None if tls is None else lambda *_: tls,
    )
    server = uvicorn.Server(config)
    if lifeline:
        watch_lifeline(lambda: setattr(server, "should_exit", True))
    server.run([listener])
