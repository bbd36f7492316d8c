"""A network whose ledger is full of what a benchmark says, and a recorder that reads it."""

import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil

from bench.errors import BenchError
from bench.ground import Ground
from bench.recorder.database import Database
from bench.recorder.fill import Lives
from bench.recorder.process import fill
from broker_config import names
from broker_config.link import Link
from broker_config.regions import Region
from broker_config.tiers import Tier
from ops.process import Process
from registry.database import open_engine, reading
from registry.sweeping import is_recorded
from tasks.deployment import Deployment
from tasks.mark import mark_publication

_MODEL = "all-minilm-l6-v2"
_QUEUE = names.task_queue(Region.ASIA, Tier.TINY, _MODEL)
_PATIENCE = 300.0


class Recorded:
    """A network, its ledger and the database that this is recorded in.

    Args:
        ground: where its broker is.
        database: a new one.
    """

    def __init__(self, ground: Ground, database: Database) -> None:
        ground.host([_MODEL], ledger=True)
        deployment = Deployment(model=_MODEL, tier=Tier.TINY, slots=8)
        enrolment = ground.enrol(Region.ASIA, deployment, threads=1)
        fill(database.url, {enrolment.device: deployment})
        self._ground, self._database = ground, database
        self._engine = open_engine(database.url)
        self._lives = Lives(ground.submitter(), enrolment.url.get_secret_value(), _MODEL)
        self._platform = Link(ground.url, "marks")
        self._platform.open(10.0)

    def live(self, count: int, together: int) -> None:
        """Let so many tasks live, whose messages nobody else takes; :meth:`Lives.send` says how."""
        self._lives.send(count, together)
        self._ground.purge(_QUEUE)

    @contextmanager
    def load(self, rate: int, seconds: float) -> "Iterator[Future[None]]":
        """Let so many tasks a second live, for so many seconds, until the future ends."""
        with ThreadPoolExecutor(1) as threads:
            loading = threads.submit(self._live_steadily, rate, seconds)
            yield loading
            loading.result()
        self._ground.purge(_QUEUE)

    def put_mark(self) -> str:
        """Put a mark into the ledger's queue."""
        mark = uuid.uuid4().hex
        self._platform.publish(mark_publication(mark, names.PLATFORM)).result(30.0)
        return mark

    def wait_for(self, mark: str, recorder: Process, look: float = 0.02) -> None:
        """Wait until everything before a mark has been recorded."""
        deadline = time.monotonic() + _PATIENCE
        while not self._is_recorded(mark):
            if recorder.exit_code is not None or time.monotonic() > deadline:
                raise BenchError(f"The recorder did not come to an end.\n{recorder.last_words()}")
            time.sleep(look)

    @contextmanager
    def recorder(self) -> Iterator[Process]:
        """Run a recorder, which has begun to read."""
        command = [sys.executable, "-P", "-m", "ops.cli", "record", "--lifeline"]
        variables = {"STARAI_BROKER_URL": self._ground.url, "STARAI_DATABASE_URL": self._database.url}
        process = Process("recorder", command, Path(self._ground.node.folder), variables)
        try:
            self._wait_for_reader(process)
            yield process
        finally:
            process.release()
            process.wait(30.0)

    def processor(self, recorder: Process) -> tuple[float, float, float]:
        """Return the seconds of processor time that recorder, database server and broker have taken."""
        own = sum(psutil.Process(recorder.pid).cpu_times()[:2])
        broker = sum(sum(process.cpu_times()[:2]) for process in self._ground.node.processes())
        return own, self._database.processor(), broker

    def close(self) -> None:
        """Disconnect."""
        self._lives.close()
        self._platform.close()
        self._engine.dispose()

    def _live_steadily(self, rate: int, seconds: float) -> None:
        begun, sent = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < seconds:
            due = int(passed * rate) - sent
            if due > 0:
                self._lives.send(due, due)
                sent += due
            time.sleep(0.02)
        if sent < 0.95 * rate * seconds:
            raise BenchError(f"Only {sent} tasks were sent in {seconds:g} s: the machine has too much else to do.")

    def _is_recorded(self, mark: str) -> bool:
        with reading(self._engine) as registry:
            return is_recorded(registry, mark)

    def _wait_for_reader(self, process: Process) -> None:
        deadline = time.monotonic() + _PATIENCE
        while "link.connected" not in process.log.read_text():
            if process.exit_code is not None or time.monotonic() > deadline:
                raise BenchError(f"The recorder did not start.\n{process.last_words()}")
            time.sleep(0.005)


@contextmanager
def recorded(ground: Ground, database: Database) -> Iterator[Recorded]:
    """Set up a network and connect to it."""
    network = Recorded(ground, database)
    try:
        yield network
    finally:
        network.close()
