"""The probes of a cycle: each with a nonce of its own, and now and then with padding whose way is timed."""

import secrets
import zlib
from collections.abc import Mapping

from registry.fleet_facts import Facts
from tasks.health.cycle_settings import CycleSettings
from tasks.health.evidence import Asked
from tasks.probe import Probe


def new_probes(fleet: Mapping[str, Facts], cycle: int, settings: CycleSettings) -> dict[str, Probe]:
    """Return a probe for each device, by its id; ``cycle`` is 0 outside of one."""
    return {device: _probe(device, facts, cycle, settings) for device, facts in fleet.items()}


def asked(device: str, facts: Facts, probe: Probe, changed: Mapping[bytes, float]) -> Asked:
    """Return what a device was asked, with what was known of it; ``changed`` are its other keys."""
    return Asked(
        device=device,
        cycle=probe.cycle,
        nonce=probe.nonce,
        padding=probe.padding,
        signing=facts.signing,
        changed=changed,
        models=facts.models,
        slots=facts.slots,
        gpu_name=facts.gpu_name,
        gpu_driver=facts.gpu_driver,
        provider=facts.provider,
    )


def _probe(device: str, facts: Facts, cycle: int, settings: CycleSettings) -> Probe:
    padded = cycle and facts.health.round_trip is not None and _is_timed(device, cycle, settings.health_padding_every)
    return Probe(cycle=cycle, padding=secrets.token_bytes(settings.health_padding_bytes) if padded else b"")


def _is_timed(device: str, cycle: int, every: int) -> bool:
    """Tell whether it is the device's turn: in every cycle it is that of another part of the fleet."""
    return (cycle + zlib.crc32(device.encode())) % every == 0
