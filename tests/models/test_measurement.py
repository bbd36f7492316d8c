"""A measurement is a stranger's claim: what cannot be, and what would harm who reads it, is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from models.measurement import Measurement, plain
from tests.models.machines import RTX_3060, machine

SOUND = machine(gpus=(RTX_3060,), provider="CUDAExecutionProvider")


def test_a_measurement_comes_back_from_json() -> None:
    assert Measurement.model_validate_json(SOUND.model_dump_json()) == SOUND


@pytest.mark.parametrize(
    "changed",
    [
        {"surprise": 1},
        {"cpu_model": "\x1b[2Jnothing"},
        {"cpu_model": "x" * 201},
        {"physical_cores": 0},
        {"physical_cores": 1000},
        {"memory_bytes": 2**60},
        {"memory_available_bytes": 2**49},
        {"speeds": []},
        {"speeds": [{"threads": 2, "gflops": 1, "gb_per_s": 1}]},
        {"speeds": [{"threads": 1, "gflops": float("nan"), "gb_per_s": 1}]},
        {"speeds": [{"threads": 1, "gflops": 1, "gb_per_s": 1}] * 2},
        {"gpus": [RTX_3060.model_dump() | {"memory_bytes": -1}]},
        {"gpus": [RTX_3060.model_dump()] * 65},
        {"machine_class": "toaster"},
    ],
)
def test_a_claim_that_cannot_be_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Measurement.model_validate(SOUND.model_dump() | changed)


@pytest.mark.parametrize(
    ("said", "kept"),
    [("Driver\n\tNot  Loaded\x07 ", "Driver Not Loaded"), ("x" * 300, "x" * 200), ("Größe", "Größe"), ("", "")],
)
def test_what_drivers_say_becomes_one_short_line(said: str, kept: str) -> None:
    assert plain(said) == kept
