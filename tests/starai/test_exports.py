"""What the library publishes."""

import inspect
import re

import starai
from broker_config import errors as broker_errors
from starai import errors


def test_the_library_publishes_this_and_nothing_else():
    talk = ["ChatMessage", "Generated", "Guidance", "Options", "Piece", "Stream"]
    assert sorted(starai.__all__) == sorted(["Client", "Job", "Region", "StarAIError", "Tier", "errors", *talk])
    assert all(hasattr(starai, name) for name in starai.__all__)


def test_every_error_is_published_and_one_of_ours():
    defined = {
        name
        for module in (errors, broker_errors)
        for name, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, BaseException)
    }

    assert set(errors.__all__) == defined
    assert all(issubclass(getattr(errors, name), errors.StarAIError) for name in errors.__all__)


def test_the_tree_in_the_documentation_names_every_error():
    drawn = set(re.findall(r"^[│├└─ ]*(\w+)", errors.__doc__, re.MULTILINE))

    assert set(errors.__all__) <= drawn


def test_errors_can_be_caught_as_what_python_calls_them():
    assert issubclass(errors.TimedOut, TimeoutError)
    assert issubclass(errors.Expired, TimeoutError)
    assert issubclass(errors.BadInput, ValueError)
    assert issubclass(errors.InvalidName, ValueError)
    assert issubclass(errors.BrokerUnreachable, ConnectionError)
    assert issubclass(errors.BrokerRefused, PermissionError)
