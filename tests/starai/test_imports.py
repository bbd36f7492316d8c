"""The library lives in other people's programs: it takes no names from them and loads nothing it does not need."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ["celery_app", "models", "ops", "registry", "tasks", "worker"]

PROGRAM = """
import sys
import models, registry, tasks, worker
from starai import Client

with Client(sys.argv[1], region="asia") as client:
    print(client.submit("all-minilm-l6-v2", "abc").result(20).tolist())
print([module.OWNER for module in (models, registry, tasks, worker)])
"""


def python(*arguments: str, cwd: Path) -> str:
    """Run Python as in a program of its own, which finds the library only as an installed one."""
    link = f"import sys; sys.path.append({str(ROOT)!r}); exec(open(sys.argv.pop(1)).read())"
    command = [sys.executable, "-c", link, *arguments]
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program's folder with modules named like packages of ours."""
    for name in OURS:
        (tmp_path / f"{name}.py").write_text("OWNER = 'the program'\n")
    (tmp_path / "program.py").write_text(PROGRAM)
    return tmp_path


def test_a_program_with_tasks_models_workers_and_a_registry_of_its_own_gets_its_result(broker, device, program):
    answer, owners = python("program.py", broker.submitter("ann"), cwd=program).splitlines()

    assert answer == str([3.0, float(ord("a"))])
    assert owners == str(["the program"] * 4)


def test_the_library_loads_none_of_a_programs_modules(program):
    for name in OURS:
        (program / f"{name}.py").write_text("raise RuntimeError('this is not yours')\n")
    (program / "program.py").write_text("import starai, starai.report, starai.tensor; print(starai.__all__)")

    assert "Client" in python("program.py", cwd=program)


def test_the_library_loads_nothing_of_the_platform_or_the_device(tmp_path):
    heavy = "celery kombu amqp sqlmodel sqlalchemy alembic psutil httpx click rich filelock onnxruntime tokenizers"
    (tmp_path / "program.py").write_text(
        f"import sys, starai; print([name for name in {[*heavy.split(), *OURS]!r} if name in sys.modules])"
    )

    assert python("program.py", cwd=tmp_path) == "[]\n"
