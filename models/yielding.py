"""A process that lets the owner's programs go first wherever they want the same core."""

import logging
import os
import sys
import time
from pathlib import Path

import psutil

log = logging.getLogger(__name__)

#: How much nicer to others a model is than its host, on POSIX; Windows has a class of its own for that. Where a program
#: of the owner wants the same core, it gets three quarters of it.
NICER = 5

# Linux may share the processor among sessions first, and a model's process has one of its own: then its nice value
# counts only within that, and the session's own value among the others. See sched(7), "The autogroup feature".
_AUTOGROUP = Path("/proc/self/autogroup")
# The system lets only one be set in a tenth of a second.
_TRIES = 10


def yield_to_the_owner() -> None:
    """Give this process a priority below normal. It cannot take that back."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        niceness = os.nice(NICER)
        if _AUTOGROUP.exists():
            _set_autogroup(niceness)


def _set_autogroup(niceness: int) -> None:
    for _ in range(_TRIES):
        try:
            _AUTOGROUP.write_text(str(niceness), "ascii")
        except BlockingIOError:
            time.sleep(0.1)
        except OSError as error:
            log.warning("priority.not_lowered", extra={"reason": str(error)})
            return
        else:
            return
    log.warning("priority.not_lowered", extra={"reason": "other processes lower theirs all the time"})
