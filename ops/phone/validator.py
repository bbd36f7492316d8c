"""Validators: by them a browser asks only whether what it has has changed."""

from starlette.requests import Request


def validator(tag: str) -> str:
    """Return the header ``ETag`` of a content with that tag."""
    return f'"{tag}"'


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the client has that content already."""
    asked = request.headers.get("if-none-match", "")
    return etag in [each.strip().removeprefix("W/") for each in asked.split(",")]
