"""Which devices a local network has."""

from hypothesis import given
from hypothesis import strategies as st

from broker_config.names import wire_name
from broker_config.regions import Region
from ops.local_device import local_devices


def test_devices_are_spread_over_the_regions_and_numbered_in_each():
    devices = local_devices(3, [Region.ASIA, Region.AFRICA])

    assert [device.id for device in devices] == ["local-asia-1", "local-africa-1", "local-asia-2"]


@given(st.integers(1, 32), st.lists(st.sampled_from(Region), min_size=1, max_size=6))
def test_every_device_has_a_name_of_its_own_that_can_stand_on_the_wire(count, regions):
    ids = [device.id for device in local_devices(count, regions)]

    assert len(set(ids)) == count
    assert all(wire_name(device) == device for device in ids)
