"""How good a choice a device is for a queue now: the one integer by which the broker schedules.

RabbitMQ delivers to the consumer with the highest ``x-priority`` that has a free slot. It must never be
negative: a federation link consumes at -1, and would win over such a device.
"""

from broker_config.regions import Region, distance

#: A device in good standing comes before every device that fails often.
GOOD_STANDING = 64
# Within the band: together at most 63, so that the bands never meet. Idleness weighs more than the distance,
# so that a nearly idle device abroad beats a nearly full one at home.
_IDLE = 40
_LOCALITY = 23


def priority(*, home: Region, queue: Region, load: float) -> int:
    """Return the ``x-priority`` of one consumer, from 0 to 127.

    Args:
        home: the device's region.
        queue: the region whose queue it consumes.
        load: the share of the device that will be busy *with* the task, from 0.0 to 1.0.
    """
    idle = _IDLE * (1.0 - min(max(load, 0.0), 1.0))
    locality = _LOCALITY * (1.0 - distance(home, queue))
    return GOOD_STANDING + round(idle + locality)
