"""Answers over HTTP: JSON, and refusals as JSON."""

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from ops.serve.refusal import Refusal


def answered(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer with JSON."""
    return Response(to_json(data), status, headers, "application/json")


def refused(refusal: Refusal) -> Response:
    """Return a refusal as an answer."""
    return answered(refusal.body, refusal.status, refusal.headers)
