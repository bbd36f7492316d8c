"""The enrolment's file: private, read strictly, and silent about the password."""

import json
import sys

import pytest
from pydantic import SecretStr, ValidationError

from broker_config.regions import Region
from broker_config.tiers import Tier
from starai.errors import SettingError
from tasks.deployment import Deployment
from worker.enrolment import Enrolment, load_enrolment, save_enrolment

PASSWORD = "hunter2hunter2"
ENROLMENT = Enrolment(
    device="a-device",
    region=Region.ASIA,
    url=SecretStr(f"amqp://a-device:{PASSWORD}@127.0.0.1:5672/starai"),
    deployments=[Deployment(model="all-minilm-l6-v2", tier=Tier.TINY, slots=2)],
)


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "folder" / "enrolment.json"
    save_enrolment(ENROLMENT, file)
    return file


def test_an_enrolment_is_read_as_it_was_saved(file):
    assert load_enrolment(file) == ENROLMENT


def test_a_deployment_that_says_nothing_of_its_speed_is_as_fast_as_the_median():
    assert Deployment(model="all-minilm-l6-v2", tier=Tier.TINY).speed == 0.5


@pytest.mark.parametrize("speed", [-0.1, 1.1, float("nan")])
def test_a_speed_beyond_its_scale_is_refused(speed):
    with pytest.raises(ValidationError, match="speed"):
        Deployment(model="all-minilm-l6-v2", tier=Tier.TINY, speed=speed)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps access in lists, not in a mode")
def test_only_its_owner_may_read_the_file(file):
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_an_enrolment_does_not_show_its_password():
    assert PASSWORD not in repr(ENROLMENT)
    assert PASSWORD not in ENROLMENT.model_dump_json()


def test_no_file_means_that_the_device_has_not_joined(tmp_path):
    with pytest.raises(SettingError, match=r"has not joined.*none\.json"):
        load_enrolment(tmp_path / "none.json")


def test_a_folder_in_its_place_is_an_error(tmp_path):
    with pytest.raises(SettingError, match="cannot be read"):
        load_enrolment(tmp_path)


def changed(**changes):
    whole = json.loads(ENROLMENT.model_dump_json()) | {"url": ENROLMENT.url.get_secret_value()} | changes
    return json.dumps(whole).encode()


WRONG = {
    "not JSON": changed()[:-1],
    "not UTF-8": b"\xff" + changed(),
    "an unknown region": changed(region="atlantis"),
    "an unknown key": changed(colour="blue"),
    "no deployment": changed(deployments=[]),
    "no slots": changed(deployments=[{"model": "m", "tier": "tiny", "slots": 0}]),
    "a model twice": changed(deployments=[{"model": "m", "tier": "tiny"}] * 2),
    "an address that is none": changed(url=[PASSWORD]),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG.keys())
def test_a_file_that_is_wrong_is_an_error_without_the_password(tmp_path, content):
    file = tmp_path / "enrolment.json"
    file.write_bytes(content)

    with pytest.raises(SettingError, match="Join the network again") as caught:
        load_enrolment(file)

    assert PASSWORD not in str(caught.value)
    assert caught.value.__cause__ is None
