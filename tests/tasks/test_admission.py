"""What a device is told that hosts nothing, and what is kept of a phone."""

import pytest

from models.browser import BROWSER
from models.calibration import Calibration
from models.catalogue import Catalogue, load_catalogue
from models.claim import Claim
from models.entry import Kind
from models.measurement import MachineClass
from models.share import Share
from tasks.admission import measurement_row, planned_models, why_nothing
from tests.models.machines import machine

CATALOGUE = load_catalogue()
MINILM, HALF_B = CATALOGUE.get("all-minilm-l6-v2"), CATALOGUE.get("qwen2.5-0.5b")
NOTHING = "No model of this network fits what the device measured."


def phone(gib=2.0, unable=()):
    measured = machine(MachineClass.PHONE, gib=gib, gb_per_s=8, provider=BROWSER, generates_on=())
    return Claim(measured=measured, share=Share(memory=0.15, threads=1), unable=frozenset(unable))


def test_a_phone_is_planned_one_model_with_one_slot_whatever_it_says_that_it_tried():
    tried = {MINILM.name: Calibration(slots=8, tasks_per_second=20.0)}
    claim = phone().model_copy(update={"calibrations": tried})

    assert [(one.model, one.slots, one.gpu) for one in planned_models(claim, CATALOGUE)] == [(MINILM.name, 1, None)]


@pytest.mark.parametrize("claim", [phone(gib=1), phone(gib=4, unable=[MINILM.name])])
def test_a_claim_of_which_a_reason_is_given_hosts_nothing(claim):
    assert planned_models(claim, CATALOGUE) == []


def test_a_phone_with_too_little_memory_is_told_how_much_the_nearest_model_needs():
    small = MINILM.model_copy(update={"name": "sound", "parameters": 500_000, "kind": Kind.TENSORS, "default": False})
    told = why_nothing(phone(gib=1), Catalogue((*CATALOGUE, small)))

    assert told.startswith(f"{NOTHING} The nearest is {MINILM.name}. Does not fit on the phone: needs 0.29 GB (weights")
    assert told.endswith("of 0.16 GB.")
    assert len(told) <= 500


def test_a_phone_in_a_network_without_tiny_models_is_told_that_it_runs_no_others():
    assert why_nothing(phone(), Catalogue((HALF_B,))) == (
        f"{NOTHING} The nearest is {HALF_B.name}. "
        "A browser runs tiny models that embed, and this one is small, of the kind generate."
    )


def test_a_device_is_told_which_models_it_could_not_run_itself():
    claim = phone(unable=[MINILM.name])

    assert why_nothing(claim, Catalogue((MINILM,))) == f"{NOTHING} It could not fetch or run {MINILM.name}."


def test_of_a_phone_is_kept_what_it_is_and_how_fast_one_thread_of_its_browser_is():
    row = measurement_row("phone-1", phone().measured)

    assert (row.provider, row.cpu_model, row.gpu_name, row.gpu_driver) == (BROWSER, "some processor", None, None)
    assert (row.physical_cores, row.memory_bytes, row.gb_per_s_one_thread) == (8, 2 * 2**30, pytest.approx(8 / 1.5))
