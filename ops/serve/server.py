"""The HTTP server."""

import logging
import socket
import ssl

import uvicorn
from starlette.types import ASGIApp


def run(app: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None, grace: int) -> None:
    """Serve until SIGINT or SIGTERM; what is under way then has so many seconds to end.

    Raises:
        KeyboardInterrupt: that is how it ended; see :mod:`ops.interrupt`.
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
    uvicorn.Server(config).run([listener])
