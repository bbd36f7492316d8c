"""How good a choice a device is for a queue now: the one integer by which the broker schedules.

RabbitMQ delivers to the consumer with the highest ``x-priority`` that has a free slot. It must never be
negative: a federation link consumes at -1, and would win over such a device.
"""

from broker_config.regions import Region, distance

#: A device in good standing comes before every device that fails often.
GOOD_STANDING = 64
# Within the band: together 63, so that the bands never meet. Idleness outweighs the farthest distance, so that a
# nearly idle device abroad beats a nearly full one at home; the distance between two continents outweighs a fifth
# of idleness, so that of two devices under similar load the nearer one is chosen. Speed gets more than half, because
# time to result is what counts: `python -m bench placement` compares.
IDLE = 17
LOCALITY = 12
SPEED = 34


def priority(*, home: Region, queue: Region, load: float, speed: float = 0.5, sound: bool = True) -> int:
    """Return the ``x-priority`` of one consumer, from 0 to 127.

    Args:
        home: the device's region.
        queue: the region whose queue it consumes.
        load: the share of the device that is busy before it takes the task, from 0.0 to 1.0.
        speed: how fast it runs the model against the network's other devices, from 0.0 to 1.0 on a log scale.
        sound: whether it is in good standing.
    """
    idle = IDLE * (1.0 - _share(load))
    locality = LOCALITY * (1.0 - distance(home, queue))
    return GOOD_STANDING * sound + round(idle + locality + SPEED * _share(speed))


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
