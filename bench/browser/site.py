"""The page's own server, with another page, in this process."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from models.catalogue import Catalogue, load_catalogue
from models.store import ModelStore
from ops.phone.app import application
from ops.phone.assets import Asset
from ops.phone.models import ModelRoutes
from ops.phone.offers import Offers


@contextmanager
def site(
    assets: Mapping[str, Asset],
    store: ModelStore,
    catalogue: Catalogue | None = None,
    around: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> Iterator[str]:
    """Serve these files below ``/phone/``, and the store's models, and yield the address of that.

    Args:
        catalogue: the models that there are; the project's own if not given.
        around: what stands between the server and the application.
    """
    app = application(assets, ModelRoutes(Offers(store, catalogue or load_catalogue())), None)
    config = uvicorn.Config(around(app), http="h11", ws="none", lifespan="off", log_config=None, access_log=False)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="site")
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/phone/"
        finally:
            server.should_exit = server.force_exit = True
            thread.join()
