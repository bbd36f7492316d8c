"""Python imports this where it is on the path: a model's process then leaks while its device has a file ``leak``."""

import sys
import threading
import time
from pathlib import Path

_AT_ONCE, _MOST = 32 << 20, 3 << 30


def _leak(sign: Path) -> None:
    leaked: list[bytes] = []
    while len(leaked) * _AT_ONCE < _MOST:
        time.sleep(0.02)
        if sign.exists():
            leaked.append(b"\1" * _AT_ONCE)


if "models.child" in sys.orig_argv:
    models = Path(sys.orig_argv[-2]).parent
    threading.Thread(target=_leak, args=(models.parent / "leak",), daemon=True).start()
