"""StarAI's submission library: submit a task, a healthy device nearby answers."""

from broker_config.regions import Region
from broker_config.tiers import Tier
from starai import errors
from starai.client import Client
from starai.errors import StarAIError
from starai.generation import ChatMessage, Generated, Guidance, Options
from starai.job import Job
from starai.stream import Piece, Stream

__all__ = [
    "ChatMessage",
    "Client",
    "Generated",
    "Guidance",
    "Job",
    "Options",
    "Piece",
    "Region",
    "StarAIError",
    "Stream",
    "Tier",
    "errors",
]
