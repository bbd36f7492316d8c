"""What an owner reads of a device's models."""

from datetime import UTC, datetime
from io import StringIO

from pydantic import SecretStr
from rich.console import Console

from broker_config.regions import Region
from broker_config.tiers import Tier
from tasks.deployment import Deployment
from worker.enrolment import Enrolment
from worker.status import Doing, ModelStatus, Status
from worker.status_table import status_table

MODEL = "all-minilm-l6-v2"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENROLMENT = Enrolment(
    device="d1", region=Region.ASIA, url=SecretStr("amqp://x"), deployments=[Deployment(model=MODEL, tier=Tier.TINY)]
)


def shown(broken: str | None) -> str:
    models = (ModelStatus(model=MODEL, slots=1, running=0, load=0.0, broken=broken),)
    status = Status(
        device="d1",
        region=Region.ASIA,
        pid=1,
        since=NOW,
        at=NOW,
        doing=Doing.SERVING,
        connected=True,
        subscriptions=1,
        models=models,
    )
    console = Console(file=StringIO(), width=200)
    console.print(status_table(ENROLMENT, status))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_model_that_is_out_of_service_is_shown_with_the_reason():
    assert "out of service, and tried again: pip found nothing [no index]" in shown("pip found nothing [no index]")


def test_of_a_sound_model_nothing_of_the_kind_is_shown():
    assert "out of service" not in shown(None)
