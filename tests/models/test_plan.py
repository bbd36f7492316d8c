"""The deployment plan: machines that everybody knows, and what must hold on any machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.browser import BROWSER
from models.catalogue import load_catalogue
from models.entry import Kind
from models.measurement import Gpu, MachineClass, Maker, Measurement, Speed
from models.need import ENOUGH_TOKENS_PER_SECOND
from models.plan import Plan, plan
from models.share import Share, default_share
from tests.models.machines import (
    A100,
    GIB,
    M2,
    RADEON_IN_PROCESSOR,
    RTX_3060,
    RTX_3090,
    RX_7900,
    machine,
)

CPU, CUDA, DIRECTML = "CPUExecutionProvider", "CUDAExecutionProvider", "DmlExecutionProvider"
CATALOGUE = list(load_catalogue())
SIZES = {entry.name: entry.parameters for entry in CATALOGUE}
KINDS = {entry.name: entry.kind for entry in CATALOGUE}


def planned(measured: Measurement, **demand: int) -> Plan:
    """Plan with the usual share."""
    return plan(measured, default_share(measured.machine_class, measured.physical_cores), CATALOGUE, demand)


def places(plan: Plan) -> dict[str, int | None]:
    return {placement.model: placement.gpu for placement in plan.placements}


def reason(plan: Plan, model: str) -> str:
    return next(verdict.reason for verdict in plan.verdicts if verdict.model == model)


def test_an_a100_server_hosts_the_70b_with_as_many_slots_as_are_fast() -> None:
    """Of 80 GiB, 85.90 GB, it lends 68.72. Weights 41.00, a context of 4,096 x 327,680 bytes = 1.34 in each slot, 1.00
    beside: 43.34 GB with one slot, and 18 slots would fit. It reads 2,039 GB/s x 0.6 / 41 = 29.8 tokens/s: two slots
    have 14.9 each, a third would leave each 9.9."""
    found = planned(machine(MachineClass.SERVER, gpus=(A100,), provider=CUDA, gib=256, cores=32, gb_per_s=150))
    largest = found.placements[0]
    assert (largest.model, largest.gpu, largest.slots) == ("llama3-70b", 0, 2)
    assert largest.memory_bytes == 41_000_000_000 + 2 * 4096 * 327_680 + 10**9
    assert reason(found, "llama3-70b") == (
        "Fits on NVIDIA A100-SXM4-80GB: needs 44.68 GB of 68.72 GB for 2 slots, 29.8 tokens/s predicted, 14.9 in each "
        "while all run."
    )
    assert "llama3-8b" in places(found)


def test_an_rtx_3060_in_a_personal_machine_hosts_phi3() -> None:
    """Of 12 GiB, 12.88 GB, it lends 6.44. The 8b: weights 5.30, a context 0.54, beside 1.00: 6.84 GB do not fit.
    Phi3: weights 2.72, a context of 4,096 x 393,216 bytes = 1.61, beside 1.00: 5.33 GB fit, with a second slot 6.94
    do not."""
    found = planned(machine(gpus=(RTX_3060,), provider=CUDA))
    largest = found.placements[0]
    assert (largest.model, largest.gpu, largest.slots) == ("phi3-3.8b", 0, 1)
    assert largest.memory_bytes == 2_720_000_000 + 4096 * 393_216 + 10**9
    assert "needs 6.84 GB (weights 5.30 GB, context 0.54 GB, overhead 1.00 GB) of 6.44 GB" in reason(found, "llama3-8b")


def test_an_m2_with_16_gib_hosts_the_8b_on_its_processor() -> None:
    """90 GB/s x 0.6 / 5.3 = 10.2 tokens/s, which a second slot would halve."""
    found = planned(machine(gpus=(M2,), gib=16, gb_per_s=90))
    largest = found.placements[0]
    assert (largest.model, largest.gpu, largest.slots) == ("llama3-8b", None, 1)
    assert found.unused_gpus == (
        "Apple M2 is not used: the engine loaded CPUExecutionProvider, which does not run on it.",
    )


def test_a_laptop_without_a_gpu_hosts_the_half_b() -> None:
    """Of 8 GiB, 8.59 GB, it lends 4.29. Phi3: weights 2.72, a context 1.61, beside 0.50: 4.83 GB do not fit. The half
    b: weights 0.82, a context of 4,096 x 12,288 bytes = 0.05, beside 0.50: 1.37 GB. 20 GB/s x 0.6 / 0.82 = 14.6
    tokens/s, of which a second slot would leave each 7.3."""
    found = planned(machine(gib=8, cores=4, gb_per_s=20))
    largest = found.placements[0]
    assert (largest.model, largest.gpu, largest.slots) == ("qwen2.5-0.5b", None, 1)
    assert largest.memory_bytes == 820_000_000 + 4096 * 12_288 + 5 * 10**8
    assert reason(found, "phi3-3.8b").startswith("Does not fit on the processor: needs 4.83 GB")


@pytest.mark.parametrize("gib", [6, 16])
def test_a_phone_with_a_program_of_ours_hosts_the_tiny_one_alone(gib: int) -> None:
    """Its engine embeds alone. Of 6 GiB it lends 0.97 GB; of 16, where the half b would fit, 2.58."""
    phone = machine(MachineClass.PHONE, gib=gib, gb_per_s=30, generates_on=())
    found = planned(phone)
    assert places(found) == {"all-minilm-l6-v2": None}
    assert found.placements[0].memory_bytes == 90_868_376 + 5 * 10**8 <= phone.memory_bytes * 0.15


def test_a_device_without_an_engine_for_language_models_is_given_none_and_its_owner_told_what_to_install() -> None:
    found = planned(machine(gpus=(A100,), provider=CUDA, gib=256, generates_on=()))
    assert places(found) == {"all-minilm-l6-v2": 0}
    assert "pip install 'starai[llm]'" in reason(found, "llama3-8b")
    assert "'starai[llm-cuda]'" in reason(found, "llama3-8b")


def test_where_the_engine_for_language_models_runs_on_the_processor_alone_they_are_hosted_there() -> None:
    found = planned(machine(gpus=(A100,), provider=CUDA, gib=16, gb_per_s=90, generates_on=(CPU,)))
    assert places(found) == {"llama3-8b": None, "qwen2.5-0.5b": None, "all-minilm-l6-v2": 0}
    assert reason(found, "llama3-70b").endswith(
        "Language models do not run on NVIDIA A100-SXM4-80GB by CUDAExecutionProvider."
    )


def test_a_claim_of_a_device_that_knew_of_no_language_models_is_one_without_an_engine_for_them() -> None:
    older = machine().model_dump(mode="json")
    del older["generates_on"]
    assert Measurement.model_validate(older).generates_on == ()


def test_a_radeon_embeds_by_directml_and_the_one_in_the_processor_is_left() -> None:
    found = planned(machine(gpus=(RADEON_IN_PROCESSOR, RX_7900), provider=DIRECTML))
    assert places(found) == {"all-minilm-l6-v2": 1}
    assert "runs on one GPU" in found.unused_gpus[0]


def test_a_radeon_on_linux_embeds_when_migraphx_loads() -> None:
    found = planned(machine(gpus=(RX_7900,), provider="MIGraphXExecutionProvider"))
    assert places(found) == {"all-minilm-l6-v2": 0}


def test_a_radeon_that_nothing_loads_on_is_left_and_its_owner_told_why() -> None:
    found = planned(machine(gpus=(RX_7900,), not_loaded="libmigraphx.so is missing."))
    assert places(found) == {"qwen2.5-0.5b": None, "all-minilm-l6-v2": None}
    assert found.unused_gpus == (
        "AMD Radeon RX 7900 XTX is not used: the engine loaded CPUExecutionProvider: libmigraphx.so is missing.",
    )


def test_two_gpus_share_the_models() -> None:
    found = planned(machine(MachineClass.SERVER, gpus=(RTX_3090, RTX_3090), provider=CUDA))
    assert places(found)["llama3-8b"] == 0
    assert places(found)["phi3-3.8b"] == 1
    assert "llama3-70b" not in places(found)  # a model runs on one of them


def test_a_gpu_whose_driver_is_broken_serves_as_a_processor() -> None:
    broken = Gpu(maker=Maker.NVIDIA, name="NVIDIA GPU", memory_bytes=0, fault="Its driver does not work: x")
    found = planned(machine(gpus=(broken,)))
    assert places(found) == {"qwen2.5-0.5b": None, "all-minilm-l6-v2": None}
    assert found.unused_gpus == ("NVIDIA GPU is not used: Its driver does not work: x.",)


def test_a_sound_gpu_beside_a_broken_one_still_counts() -> None:
    found = planned(machine(gpus=(A100.model_copy(update={"fault": "lost"}), RTX_3060), provider=CUDA))
    assert (found.placements[0].model, found.placements[0].gpu) == ("phi3-3.8b", 1)


def test_a_model_that_is_too_slow_is_not_hosted_and_the_figures_say_why() -> None:
    why = reason(planned(machine(gib=64, gb_per_s=40)), "llama3-8b")
    assert why == "Too slow on the processor: 4.5 tokens/s predicted (40.0 GB/s x 0.6 / 5.30 GB), and 10 are needed."


def test_of_models_that_are_as_large_the_wanted_one_comes_first() -> None:
    twins = [load_catalogue().get("llama3-8b").model_copy(update={"name": name}) for name in ("a", "b")]
    mac = machine(gib=16, gb_per_s=90)
    share = default_share(mac.machine_class, mac.physical_cores)
    assert plan(mac, share, twins).placements[0].model == "a"
    assert plan(mac, share, twins, {"b": 3}).placements[0].model == "b"


def test_main_memory_that_others_use_is_not_lent() -> None:
    full = machine(gib=16, gb_per_s=90).model_copy(update={"memory_available_bytes": 2 * GIB})
    assert "llama3-8b" not in places(planned(full))
    assert "of 2.15 GB" in reason(planned(full), "llama3-8b")


def test_the_largest_model_on_the_processor_gets_the_threads_that_are_left() -> None:
    found = planned(machine(gib=8, cores=8, gb_per_s=20))
    assert [placement.threads for placement in found.placements] == [6, 1]


def test_an_owner_who_lends_one_thread_hosts_one_model() -> None:
    found = planned(machine(gib=8, cores=2, gb_per_s=20))
    assert list(places(found)) == ["qwen2.5-0.5b"]
    assert "No thread is left" in reason(found, "all-minilm-l6-v2")


gpus = st.builds(
    Gpu,
    maker=st.sampled_from(Maker),
    name=st.sampled_from(["NVIDIA A100-SXM4-80GB", "NVIDIA GeForce RTX 3060", "AMD Radeon RX 7900 XTX", "unheard of"]),
    memory_bytes=st.integers(0, 200 * GIB),
    fault=st.sampled_from([None, None, None, "broken"]),
)


@st.composite
def machines(draw: st.DrawFn) -> Measurement:
    cores = draw(st.integers(1, 64))
    memory = draw(st.integers(1, 512 * GIB))
    speeds = [Speed(threads=n, gflops=10, gb_per_s=draw(st.floats(0.5, 800))) for n in sorted({1, cores})]
    return Measurement(
        operating_system="x",
        machine_class=draw(st.sampled_from(MachineClass)),
        cpu_model="x",
        physical_cores=cores,
        threads=cores,
        memory_bytes=memory,
        memory_available_bytes=draw(st.integers(0, memory)),
        gpus=tuple(draw(st.lists(gpus, max_size=4))),
        provider=draw(st.sampled_from([CUDA, DIRECTML, "MIGraphXExecutionProvider", CPU, BROWSER])),
        generates_on=tuple(draw(st.sets(st.sampled_from([CPU, CUDA, DIRECTML])))),
        speeds=tuple(speeds),
    )


shares = st.builds(Share, memory=st.floats(0.001, 1), threads=st.integers(1, 64))


@given(machines(), shares)
def test_a_plan_never_exceeds_the_share(measured: Measurement, share: Share) -> None:
    found = plan(measured, share, CATALOGUE)
    for gpu in (None, *range(len(measured.gpus))):
        whole = measured.memory_bytes if gpu is None else measured.gpus[gpu].memory_bytes
        taken = sum(placement.memory_bytes for placement in found.placements if placement.gpu == gpu)
        assert taken <= whole * share.memory
    assert sum(placement.threads for placement in found.placements) <= share.threads
    for placement in found.placements:
        at_once = placement.slots if KINDS[placement.model] is Kind.GENERATE else 1
        assert placement.tokens_per_second / at_once >= ENOUGH_TOKENS_PER_SECOND


@given(machines(), shares, shares)
def test_a_larger_share_never_has_a_smaller_largest_model(measured: Measurement, one: Share, other: Share) -> None:
    smaller = Share(memory=min(one.memory, other.memory), threads=min(one.threads, other.threads))
    larger = Share(memory=max(one.memory, other.memory), threads=max(one.threads, other.threads))
    before, after = (
        [SIZES[p.model] for p in plan(measured, share, CATALOGUE).placements] for share in (smaller, larger)
    )
    assert before[:1] <= after[:1]


@given(machines(), shares)
def test_every_model_is_judged_once_and_a_gpu_that_is_not_used_hosts_none(measured: Measurement, share: Share) -> None:
    found = plan(measured, share, CATALOGUE)
    assert [verdict.model for verdict in found.verdicts] == sorted(SIZES, key=lambda name: -SIZES[name])
    assert [v.model for v in found.verdicts if v.hosted] == [placement.model for placement in found.placements]
    used = {placement.gpu for placement in found.placements} - {None}
    assert len(used) + len(found.unused_gpus) <= len(measured.gpus)


@pytest.mark.parametrize(
    ("machine_class", "cores", "memory", "threads"),
    [(MachineClass.SERVER, 64, 0.8, 63), (MachineClass.PERSONAL, 8, 0.5, 7), (MachineClass.PHONE, 1, 0.15, 1)],
)
def test_the_usual_share_follows_from_the_class(
    machine_class: MachineClass, cores: int, memory: float, threads: int
) -> None:
    assert default_share(machine_class, cores) == Share(memory=memory, threads=threads)
