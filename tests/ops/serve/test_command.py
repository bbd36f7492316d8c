"""`starai serve` before it serves: its keys, where it listens, what it refuses to do."""

import json
import socket
import ssl
import stat

import pytest

from broker_config.authority import Authority
from ops.serve.keys import KeyRing, all_keys, issue_key, keys_file
from ops.serve.settings import Settings
from ops.web.listening import hosts_of, listener_of, tls_of, url_of
from starai.errors import SettingError

RISK = "keys would be read"


def test_a_key_is_shown_once_and_only_its_hash_is_kept(run):
    shown = run("serve", "keys", "issue", "laptop").stdout.split()[-1]
    second = json.loads(run("serve", "keys", "issue", "phone", "--json").stdout)

    assert KeyRing().name_of(shown) == "laptop"
    assert KeyRing().name_of(second["key"]) == "phone"
    kept = keys_file().read_text("utf-8")
    assert shown not in kept
    assert second["key"] not in kept
    assert stat.S_IMODE(keys_file().stat().st_mode) == 0o600
    assert shown not in run("serve", "keys").output


def test_keys_are_listed_and_revoked(run):
    assert "starai serve keys issue NAME" in run("serve", "keys").stdout
    key = issue_key("laptop")
    issue_key("phone")

    assert run("serve", "keys", "revoke", "laptop", input="n\n").exit_code == 1
    assert KeyRing().name_of(key) == "laptop"
    assert run("serve", "keys", "revoke", "laptop", "--yes").exit_code == 0

    assert KeyRing().name_of(key) is None
    listed = json.loads(run("serve", "keys", "list", "--json").stdout)["keys"]
    assert [each["name"] for each in listed] == ["phone"]


def test_a_key_that_is_there_or_is_not_is_named(run):
    issue_key("laptop")

    assert "revoke it first" in run("serve", "keys", "issue", "laptop").stderr
    assert "Did you mean: laptop?" in run("serve", "keys", "revoke", "latop", "--yes").stderr
    assert "cannot be a key's name" in run("serve", "keys", "issue", "My key").stderr
    assert len(all_keys()) == 1


def test_nothing_and_what_only_begins_as_a_key_is_no_key():
    key = issue_key("laptop")

    assert [KeyRing().name_of(other) for other in ("", key[:-1], key + "a", key.upper())] == [None] * 4


def test_keys_that_cannot_be_read_are_an_error_that_tells_nothing_of_them(run):
    issue_key("laptop")
    keys_file().write_text('{"keys": [{"name": "laptop", "hash": 7, "secret": "hunter2"}]}')

    result = run("serve", "keys")

    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert "hunter2" not in result.output


def test_without_a_key_it_does_not_serve_and_says_what_to_do(run):
    result = run("serve")

    assert result.exit_code == 1
    assert "starai serve keys issue NAME" in result.stderr


def test_without_a_network_it_says_how_to_start_one(run):
    issue_key("laptop")

    result = run("serve", "--port", "0")

    assert result.exit_code == 1
    assert "starai up" in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_other_machines_are_let_in_encrypted_or_where_that_is_asked_for(host, tmp_path):
    with pytest.raises(SettingError, match="--tls-cert"):
        listener_of(Settings(host=host, port=0), RISK)
    with listener_of(Settings(host=host, port=0, plain=True), RISK) as listener:
        assert hosts_of(Settings(host=host), listener) is None
        assert "api.example" in hosts_of(Settings(host=host, allow_host=("api.example",)), listener)


def test_on_this_machine_it_goes_by_its_own_names_alone():
    settings = Settings(port=0)
    with listener_of(settings, RISK) as listener:
        assert set(hosts_of(settings, listener)) == {"localhost", "127.0.0.1", "[127.0.0.1]", "[::1]"}
        assert url_of(settings, listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_port_that_is_taken_and_a_host_that_is_not_here_are_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingError, match=f"port {port}.*--port"):
            listener_of(Settings(port=port), RISK)
    with pytest.raises(SettingError, match=r"192\.0\.2\.1"):
        listener_of(Settings(host="192.0.2.1", port=0, plain=True), RISK)


def test_a_certificate_and_its_key_belong_together(tmp_path):
    authority = Authority(tmp_path)
    authority.ensure()
    both = authority.certificate

    assert isinstance(tls_of(Settings(tls_cert=both, tls_key=both)), ssl.SSLContext)
    assert tls_of(Settings()) is None
    for wrong in (Settings(tls_cert=both), Settings(tls_key=both), Settings(tls_cert=both, tls_key=tmp_path / "none")):
        with pytest.raises(SettingError, match=r"belong together|cannot be used"):
            tls_of(wrong)


def test_help_names_the_variables(run):
    shown = run("serve", "--help").stdout

    assert "STARAI_SERVE_PORT" in shown
    assert "starai serve keys issue NAME" in " ".join(shown.split())
