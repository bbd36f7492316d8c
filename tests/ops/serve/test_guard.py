"""Who is let in, and what those learn who are not."""

import pytest

from ops.serve.keys import issue_key, keys_file, revoke_key
from tests.ops.serve.library import error_of


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-starai-no"}, {"Authorization": "Basic eDp5"}])
def test_nothing_is_told_without_a_key_but_whether_the_server_lives(ask, headers):
    for method, path in (("GET", "/v1/models"), ("POST", "/v1/chat/completions"), ("GET", "/v1/what")):
        answer = ask(method, path, headers)
        assert (answer.status_code, error_of(answer)["code"]) == (401, "invalid_api_key")
        assert answer.headers["www-authenticate"] == "Bearer"

    assert ask("GET", "/healthz", headers).json() == {"status": "ok"}


def test_a_key_that_is_revoked_is_refused_at_once_and_one_that_is_issued_is_taken(ask, key):
    assert ask("GET", "/v1/models").status_code == 200
    other = {"Authorization": f"Bearer {issue_key('phone')}"}
    revoke_key("laptop")

    assert ask("GET", "/v1/models").status_code == 401
    assert ask("GET", "/v1/models", other).status_code == 200
    keys_file().write_text("{")
    assert (answer := ask("GET", "/v1/models", other)).status_code == 503
    assert error_of(answer)["code"] == "keys_unreadable"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", ""])
def test_a_request_for_another_host_is_refused(ask, key, host):
    for path in ("/healthz", "/v1/models"):
        answer = ask("GET", path, {"Host": host, "Authorization": f"Bearer {key}"})
        assert (answer.status_code, error_of(answer)["code"]) == (403, "host_not_allowed")


def test_a_page_of_another_site_may_read_nothing(ask, key):
    page = {"Origin": "https://evil.example", "Authorization": f"Bearer {key}"}
    asked_first = ask("OPTIONS", "/v1/models", page | {"Access-Control-Request-Method": "GET"})

    assert asked_first.status_code == 405
    for answer in (asked_first, ask("GET", "/v1/models", page)):
        assert not [name for name in answer.headers if name.startswith("access-control")]
