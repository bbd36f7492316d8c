"""What a request asks of the network, once it was read."""

from dataclasses import dataclass

from ops.serve.form import Form
from starai.generation import ChatMessage, Options


@dataclass(frozen=True)
class Text:
    """A text to generate.

    Attributes:
        form: how it is answered.
        inputs: what it is to go on from.
        stream: whether it is sent as it is made; with_usage: and, in the end, the numbers of tokens.
    """

    form: Form
    model: str
    inputs: str | list[ChatMessage]
    options: Options
    stream: bool
    with_usage: bool


@dataclass(frozen=True)
class Vectors:
    """Texts to make vectors of; ``as_base64``: numbers are sent as the bytes that they are."""

    model: str
    texts: list[str]
    as_base64: bool
