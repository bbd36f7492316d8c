"""What a person is shown of an evaluation."""

import sys

import pytest
from rich.console import Console

from models.catalogue import load_catalogue
from models.plan import plan
from models.share import Share
from tests.worker.test_evaluate import EVALUATION
from worker.engine import find_language_engine
from worker.evaluation_table import as_table
from worker.measure import measurement_of

SHARE = Share(memory=0.5, threads=15)
PLAN = plan(measurement_of(EVALUATION), SHARE, load_catalogue())


def shown(capsys: pytest.CaptureFixture[str], *, explain: bool) -> str:
    Console(markup=False, width=400).print(as_table(EVALUATION, SHARE, PLAN, explain=explain))
    return capsys.readouterr().out


def test_a_person_reads_names_units_and_what_is_hosted(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, explain=False)
    for part in (
        "AMD Ryzen 9 9950X",
        "12.0 GiB",
        "NVIDIA [other], GPU is lost",
        "2100 GFLOP/s, 61.5 GB/s",
        "llama3-70b",
    ):
        assert part in text
    assert "1 slot on NVIDIA GeForce RTX 3060, 5.33 GB" in text
    assert "50% of the memory, 15 threads" in text
    assert "NVIDIA [other] is not used: GPU is lost." in text
    assert "needs" not in text.rpartition("A model needs")[0]


def test_with_explain_a_person_reads_why(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(capsys, explain=True)
    for verdict in PLAN.verdicts:
        assert verdict.reason in text


def test_without_an_engine_for_language_models_the_owner_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_genai", None)
    without = EVALUATION.model_copy(update={"language": find_language_engine(EVALUATION.engine)})
    planned = plan(measurement_of(without), SHARE, load_catalogue())
    Console(markup=False, width=400).print(as_table(without, SHARE, planned, explain=True))
    assert measurement_of(without).generates_on == ()
    assert capsys.readouterr().out.count("pip install 'starai[llm]'") == 5  # the engine's row, and four models
