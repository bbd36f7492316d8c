"""A whole fleet of simulated devices in one process, each with a connection of its own."""

from collections.abc import Callable, Sequence

from pika.adapters.select_connection import IOLoop
from pika.channel import Channel

from bench.peer import Control
from bench.placement.fleet import Machine
from bench.placement.hands import connect
from bench.placement.ladder_device import LadderDevice
from bench.placement.stock_device import StockDevice
from broker_config.names import task_queues
from broker_config.tiers import Tier
from registry.speed import relative_speed
from tasks.deployment import Deployment

_TIER = Tier.TINY

Begin = Callable[[IOLoop, Channel, Machine], object]


def ladder_fleet(control: Control, url: str, model: str, machines: Sequence[Machine]) -> None:
    """Run devices that subscribe by the ladder. The target of a peer."""
    speeds = [machine.speed for machine in machines]

    def begin(loop: IOLoop, channel: Channel, machine: Machine) -> object:
        speed = relative_speed(machine.speed, speeds)
        deployment = Deployment(model=model, tier=_TIER, slots=machine.slots, speed=speed)
        return LadderDevice(loop, channel, machine, deployment)

    _run(control, url, machines, begin)


def stock_fleet(control: Control, url: str, model: str, machines: Sequence[Machine]) -> None:
    """Run devices that subscribe as stock Celery workers do. The target of a peer."""
    queues = task_queues(_TIER, model)
    _run(control, url, machines, lambda loop, channel, machine: StockDevice(loop, channel, machine, queues))


def _run(control: Control, url: str, machines: Sequence[Machine], begin: Begin) -> None:
    loop = IOLoop()
    devices: list[object] = []

    def on_channel(machine: Machine, channel: Channel) -> None:
        devices.append(begin(loop, channel, machine))
        if len(devices) == len(machines):
            control.say("ready")

    for machine in machines:
        connect(loop, url, lambda channel, machine=machine: on_channel(machine, channel))  # type: ignore[misc]
    control.listen(lambda _: None)
    loop.start()
