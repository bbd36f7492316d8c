"""What a phone hosts, whose program is a page in a browser."""

import pytest

from broker_config.tiers import Tier
from models.browser import BROWSER, OVERHEAD
from models.catalogue import load_catalogue
from models.entry import CatalogueEntry, Kind
from models.measurement import MachineClass, Measurement
from models.plan import Plan, plan
from models.share import Share, default_share
from tests.models.machines import A100, M2, machine

CATALOGUE = list(load_catalogue())
MINILM = load_catalogue().get("all-minilm-l6-v2")


def phone(gib: float = 2, cores: int = 6, gb_per_s: float = 8.0, **more) -> Measurement:
    return machine(
        MachineClass.PHONE, gib=gib, cores=cores, gb_per_s=gb_per_s, provider=BROWSER, generates_on=(), **more
    )


def planned(measured: Measurement, entries: list[CatalogueEntry] = CATALOGUE) -> Plan:
    return plan(measured, default_share(measured.machine_class, measured.physical_cores), entries)


def reason(found: Plan, model: str) -> str:
    return next(verdict.reason for verdict in found.verdicts if verdict.model == model)


def entry(name: str, parameters: int, kind: Kind = Kind.EMBED) -> CatalogueEntry:
    return MINILM.model_copy(update={"name": name, "parameters": parameters, "kind": kind, "default": False})


def test_an_iphone_that_tells_no_memory_hosts_the_tiny_one_with_one_slot():
    """2 GiB are assumed, 2.15 GB, of which it lends 0.322. Weights 0.091, beside them 0.200: 0.291 GB fit. It reads
    8 GB/s x 0.6 / 0.091 = 52.8 times a second."""
    (found,) = planned(phone(gib=2)).placements
    assert (found.model, found.gpu, found.slots) == ("all-minilm-l6-v2", None, 1)
    assert found.memory_bytes == 90_868_376 + OVERHEAD == 290_868_376 <= 2 * 2**30 * 0.15 == 322_122_547.2
    assert found.tokens_per_second == 52.8


def test_an_android_phone_with_8_gib_hosts_no_more_though_there_is_room():
    """It lends 1.29 GB, in which four slots and the half b would fit."""
    found = planned(phone(gib=8, cores=8))
    assert [(one.model, one.slots, one.memory_bytes) for one in found.placements] == [(MINILM.name, 1, 290_868_376)]
    assert reason(found, MINILM.name) == (
        "Fits on the phone: needs 0.29 GB of 1.29 GB for 1 slot, 52.8 tokens/s predicted."
    )


def test_a_phone_with_1_gib_hosts_nothing_and_the_figures_say_why():
    assert reason(planned(phone(gib=1)), MINILM.name) == (
        "Does not fit on the phone: needs 0.29 GB (weights 0.09 GB, context 0.00 GB, overhead 0.20 GB) of 0.16 GB."
    )


@pytest.mark.parametrize(
    ("parameters", "kind"), [(10**6, Kind.TENSORS), (10**6, Kind.GENERATE), (2 * 10**8, Kind.EMBED)]
)
def test_a_browser_has_no_engine_for_anything_but_tiny_models_that_embed(parameters: int, kind: Kind):
    found = planned(phone(gib=8), [entry("another", parameters, kind)])
    assert found.placements == ()
    tier = Tier.TINY if parameters == 10**6 else Tier.SMALL
    assert (
        reason(found, "another")
        == f"A browser runs tiny models that embed, and this one is {tier}, of the kind {kind}."
    )


def test_what_a_browser_claims_of_gpus_and_language_models_gains_nothing():
    claimed = phone(gib=8, gpus=(A100, M2)).model_copy(update={"generates_on": (BROWSER, "CPUExecutionProvider")})
    assert [one.model for one in plan(claimed, Share(memory=1, threads=99), CATALOGUE).placements] == [MINILM.name]


def test_of_two_tiny_models_a_phone_hosts_one_since_it_runs_one_task_at_a_time():
    found = planned(phone(gib=8), [entry("another", MINILM.parameters - 1), MINILM])
    assert [(one.model, one.slots) for one in found.placements] == [(MINILM.name, 1)]
    assert reason(found, "another") == (
        "No slot is left on the phone: a larger model has it, and no other runs beside that."
    )


def test_a_phone_that_is_too_slow_is_told_so():
    assert reason(planned(phone(gb_per_s=1.0)), MINILM.name).startswith("Too slow on the phone: 6.6 tokens/s predicted")


def test_its_model_has_as_many_threads_as_are_lent_and_were_measured():
    four = phone(cores=4)
    alone = four.model_copy(update={"speeds": four.speeds[:1]})  # a page that is not isolated has one thread
    assert [plan(one, Share(memory=0.15, threads=3), CATALOGUE).placements[0].threads for one in (four, alone)] == [
        3,
        1,
    ]
