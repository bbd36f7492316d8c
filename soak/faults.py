"""The faults, each of them for real."""

import contextlib
import logging
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pika
import psutil
from sqlalchemy import make_url

from broker_config.address import parameters
from broker_config.errors import BrokerError
from broker_config.lifeline import release, spawn
from broker_config.regions import Region
from ops.process import Process
from soak.errors import SoakError
from soak.hostile import Behaviour
from soak.load import LONGEST_DEADLINE, LONGEST_LEASE, MODELS, Wish
from soak.network import DEVICES, Network, Place
from soak.schedule import Fault
from soak.submitting import Submitting

log = logging.getLogger(__name__)

_BACK_WITHIN = 90.0
_FLOOD = 1500
# Of each region.
_BACKLOG = 80
_LOOK = 0.2
_SLOW = 0.1


@dataclass(frozen=True)
class Brought:
    """A fault that was brought, in words, and the devices that may be blamed for what followed."""

    what: str
    devices: tuple[str, ...] = ()


class Faults:
    """Brings faults over a network.

    Args:
        network: the one under test.
        submitting: submits what a fault needs: poison, a flood.
        behaviours: what hostile devices do.
    """

    def __init__(self, network: Network, submitting: Submitting, behaviours: tuple[Behaviour, ...]) -> None:
        self._network = network
        self._submitting = submitting
        self._behaviours = behaviours
        self._over = threading.Event()

    def bring(self, fault: Fault) -> Brought:
        """Bring one, wait until it is over, and return what it was."""
        does: Callable[[random.Random, float], str | Brought] = getattr(self, f"_{fault.kind.replace('-', '_')}")
        brought = does(random.Random(fault.seed), fault.seconds)
        return brought if isinstance(brought, Brought) else Brought(brought)

    def stop(self) -> None:
        """End what lasts."""
        self._over.set()

    def _recorder_killed(self, _chosen: random.Random, _seconds: float) -> str:
        self._network.kept["recorder"].kill()
        return "SIGKILL of the recorder"

    def _recorder_stopped(self, _chosen: random.Random, seconds: float) -> str:
        self._network.kept["recorder"].stop()
        self._over.wait(seconds)
        self._network.kept["recorder"].start()
        return f"the recorder stopped for {seconds:.0f} s"

    def _platform_killed(self, _chosen: random.Random, seconds: float) -> str:
        self._network.kept["platform"].kill(hold=True)
        self._over.wait(seconds)
        self._network.kept["platform"].start()
        return f"SIGKILL of the platform's worker, down for {seconds:.0f} s"

    def _beat_killed(self, _chosen: random.Random, _seconds: float) -> str:
        self._network.kept["beat"].kill()
        return "SIGKILL of beat"

    def _broker_killed(self, _chosen: random.Random, _seconds: float) -> str:
        began = time.monotonic()
        processes = self._network.node.processes()
        for process in processes:
            with contextlib.suppress(psutil.Error):
                if process.name().startswith(("beam", "erl")):
                    process.kill()
        psutil.wait_procs(processes, timeout=_BACK_WITHIN)
        self._network.node.start(lifeline=True)
        return f"SIGKILL of RabbitMQ, back after {time.monotonic() - began:.0f} s"

    def _database_gone(self, _chosen: random.Random, seconds: float) -> str:
        if self._network.postgres:
            self._network.postgres.crash()
            self._over.wait(seconds / 4)
            self._network.postgres.start()
            return f"PostgreSQL crashed, back after {seconds / 4:.0f} s"
        with contextlib.closing(
            sqlite3.connect(make_url(self._network.engine.url).database or "", timeout=60.0)
        ) as file:
            file.execute("BEGIN EXCLUSIVE")
            self._over.wait(seconds)
            file.rollback()
        return f"SQLite locked for {seconds:.0f} s"

    def _poison(self, _chosen: random.Random, seconds: float) -> str:
        tag = uuid4().hex
        self._submitting.submit([Wish(MODELS[0], f"poison {tag}", Region.ASIA, 60.0, LONGEST_LEASE)])
        self._over.wait(seconds)
        return f"poison {tag}"

    def _device_killed(self, chosen: random.Random, _seconds: float) -> Brought:
        device = chosen.choice(DEVICES).id
        self._network.kept[device].kill()
        return Brought(f"SIGKILL of {device}", (device,))

    def _half_gone(self, chosen: random.Random, seconds: float) -> Brought:
        """That is no fault of devices: so many at once."""
        gone = [place.id for place in chosen.sample(DEVICES, (len(DEVICES) + 1) // 2)]
        for device in gone:
            self._network.kept[device].kill(hold=True)
        self._over.wait(seconds)
        for device in gone:
            self._network.kept[device].start()
        return Brought(f"SIGKILL of {', '.join(gone)} at once, for {seconds:.0f} s")

    def _network_cut(self, chosen: random.Random, seconds: float) -> Brought:
        device = chosen.choice(DEVICES).id
        self._network.ways[device].cut()
        self._over.wait(seconds)
        self._network.ways[device].heal()
        return Brought(f"the network of {device} cut for {seconds:.0f} s", (device,))

    def _network_slow(self, chosen: random.Random, seconds: float) -> str:
        device = chosen.choice(DEVICES).id
        self._network.ways[device].slow(_SLOW)
        self._over.wait(seconds)
        self._network.ways[device].heal()
        return f"everything to and from {device} {1000 * _SLOW:.0f} ms late for {seconds:.0f} s"

    def _corpse(self, chosen: random.Random, seconds: float) -> Brought:
        device = chosen.choice(DEVICES).id
        sign = self._network.poison / device
        sign.touch()
        self._over.wait(seconds)
        sign.unlink()
        return Brought(f"{device} answered probes and failed every task for {seconds:.0f} s", (device,))

    def _device_frozen(self, chosen: random.Random, seconds: float) -> Brought:
        device = chosen.choice(DEVICES).id
        if not (pid := self._network.kept[device].pid):
            return Brought(f"{device} was down already")
        command = [sys.executable, "-P", "-m", "soak.freeze", str(pid), str(seconds)]
        freezing = spawn(command, self._network.logs / f"freeze-{pid}.log")
        self._wait_for(freezing, seconds)
        return Brought(f"SIGSTOP of {device} for {seconds:.0f} s", (device,))

    def _submitter_killed(self, chosen: random.Random, _seconds: float) -> str:
        name = chosen.choice([name for name in self._network.kept if name.startswith("submitter")])
        self._network.death(name).touch()
        return f"SIGKILL of {name}"

    def _hostile(self, chosen: random.Random, seconds: float) -> Brought:
        behaviours = chosen.sample(self._behaviours, min(len(self._behaviours), chosen.randrange(1, 4)))
        number = f"{chosen.getrandbits(32):x}"
        hostile = Place(f"device-hostile-{number}", "mallory", chosen.choice(list(Region)), MODELS[:1])
        other = Place(f"device-hostile-{number}-b", "mallory", Region.ASIA, MODELS[1:])
        files = [str(self._network.enrol(place)) for place in (hostile, other)]
        command = [sys.executable, "-P", "-m", "soak.hostile", *files, str(chosen.getrandbits(32)), *behaviours]
        process = Process(hostile.id, command, self._network.logs)
        self._over.wait(seconds)
        if process.exit_code is not None:
            raise SoakError(f"The hostile device ended by itself:\n{process.last_words()}")
        process.kill()
        return Brought(f"{hostile.id}: {', '.join(behaviours)}", (hostile.id, other.id))

    def _purged(self, _chosen: random.Random, _seconds: float) -> str:
        # Devices are fast: without these there would be nothing to lose.
        self._submitting.submit(
            [Wish(MODELS[0], "take 0.2", region, LONGEST_DEADLINE, LONGEST_LEASE) for region in [*Region] * _BACKLOG]
        )
        with pika.BlockingConnection(parameters(self._network.node.url())) as connection:
            channel = connection.channel()
            gone = sum(channel.queue_purge(queue).method.message_count or 0 for queue in self._network.queues())
        return f"the operator purged all task queues of {gone} tasks"

    def _flood(self, chosen: random.Random, _seconds: float) -> str:
        region = chosen.choice(list(Region))
        self._submitting.submit([Wish(MODELS[0], "take 0.01", region, 30.0, LONGEST_LEASE) for _ in range(_FLOOD)])
        return f"{_FLOOD} tasks at once in {region}"

    def _wait_for(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        until = time.monotonic() + seconds + 5.0
        while process.poll() is None and time.monotonic() < until and not self._over.is_set():
            time.sleep(_LOOK)
        release(process)
        process.wait()


#: What a fault may meet that another one brought at the same time.
TRANSIENT = (BrokerError, OSError, psutil.Error)
