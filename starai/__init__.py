"""StarAI's submission library: submit a task, a healthy device nearby answers."""

from broker_config.regions import Region
from broker_config.tiers import Tier
from starai import errors
from starai.client import Client
from starai.errors import StarAIError
from starai.job import Job

__all__ = ["Client", "Job", "Region", "StarAIError", "Tier", "errors"]
