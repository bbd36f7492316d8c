"""The page's files, as browsers get them."""

from pathlib import Path

import pytest

from ops.phone.app import application
from ops.phone.assets import NEEDED, load_assets
from ops.phone.protection import HEADERS
from starai.errors import SettingError
from tests.ops.phone.stand_in import asking, build

TYPES = {
    "": "text/html; charset=utf-8",
    "index.html": "text/html; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
    "manifest.webmanifest": "application/manifest+json",
    "page.js": "text/javascript; charset=utf-8",
    "ort-wasm-simd-threaded.mjs": "text/javascript; charset=utf-8",
    "ort-wasm-simd-threaded.wasm": "application/wasm",
    "icons/icon.png": "image/png",
    "page.js.LEGAL.txt": "text/plain; charset=utf-8",
}


@pytest.mark.parametrize(("path", "content_type"), TYPES.items())
def test_each_file_is_given_as_what_it_is(ask, path, content_type):
    answer = ask(f"/phone/{path}")

    assert (answer.status_code, answer.headers["content-type"]) == (200, content_type)
    assert answer.content == (b"\x89PNG" if path.endswith(".png") else answer.content)
    if path in NEEDED:
        assert answer.text == f"this is {path}"


@pytest.mark.parametrize("path", ["page.js", "ort-wasm-simd-threaded.wasm"])
def test_it_comes_packed_to_whoever_unpacks_it_and_plain_to_others(app, ask, path):
    packed, plain = ask(f"/phone/{path}"), ask(f"/phone/{path}", **{"Accept-Encoding": "identity, gzip;q=0"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.text == plain.text == f"this is {path}"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert int(plain.headers["content-length"]) == len(plain.content)


@pytest.mark.parametrize("path", ["", "page.js", "ort-wasm-simd-threaded.wasm", "icons/icon.png"])
def test_what_a_browser_has_is_not_sent_again(ask, path):
    first = ask(f"/phone/{path}")
    again = ask(f"/phone/{path}", **{"If-None-Match": f'"other", W/{first.headers["etag"]}'})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "no-cache"
    assert ask(f"/phone/{path}", **{"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "sources.json",
        "page.ts",
        "none.js",
        "icons",
        "icons/",
        "../site.py",
        "%2e%2e/site.py",
        "..%2f..%2fpyproject.toml",
        "/etc/passwd",
        "models",
        "models/",
        "ort-wasm-simd-threaded.wasm.gz",
        "ca.pem",
    ],
)
def test_nothing_else_can_be_asked_for(ask, path):
    answer = ask(f"/phone/{path}")

    assert answer.status_code == 404
    assert answer.text == "Not Found"


@pytest.mark.parametrize("path", ["/", "/phone", "/phone/", "/phone/none", "/phone/models/none", "/none"])
def test_every_answer_tells_browsers_what_it_may_do_and_none_sets_a_cookie(ask, path):
    for method in ("GET", "HEAD", "POST"):
        answer = ask(path, method)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "set-cookie" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_scripts_come_from_the_page_itself_alone_and_may_use_threads(ask):
    headers = ask("/phone/page.js").headers
    policy = headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; ")
    assert not [word for word in ("unsafe-inline", "'unsafe-eval'", "*", "https:") if word in policy]
    assert "frame-ancestors 'none'" in policy
    isolated = ("same-origin", "require-corp", "same-origin", "nosniff", "no-referrer")
    names = ("opener-policy", "embedder-policy", "resource-policy")
    said = [headers[f"cross-origin-{name}"] for name in names]
    assert (*said, headers["x-content-type-options"], headers["referrer-policy"]) == isolated
    assert "screen-wake-lock=(self)" in headers["permissions-policy"]
    assert "camera=()" in headers["permissions-policy"]


def test_the_server_leads_to_the_page_and_is_only_asked(ask):
    assert [ask(path).headers["location"] for path in ("/", "/phone")] == ["/phone/", "/phone/"]
    assert [ask(path).status_code for path in ("/", "/phone")] == [307, 307]
    for path in ("/phone/", "/phone/page.js", "/phone/models/small-model"):
        assert ask(path, "POST").status_code == 405
        assert ask(path, "HEAD").status_code == 200
        assert ask(path, "HEAD").content == b""


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8455", "127.0.0.1.evil.example"])
def test_a_request_for_another_host_is_refused(ask, host):
    assert ask("/phone/", Host=host).status_code == 403
    assert ask("/phone/", Host="PHONES.example:8455").status_code == 200


def test_the_authority_is_given_where_phones_have_to_trust_it(tmp_path, routes):
    app = application(load_assets(build(tmp_path / "other")), routes, None, ca="-----BEGIN CERTIFICATE-----")

    answer = asking(app)("/phone/ca.pem")

    assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    assert answer.text == "-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize("name", NEEDED)
def test_a_page_that_was_not_built_whole_says_how_to_build_it(tmp_path: Path, name):
    folder = build(tmp_path / "built")
    for file in (folder / name, folder / f"{name}.gz"):
        file.unlink(missing_ok=True)

    with pytest.raises(SettingError, match=f"{name}.*make page"):
        load_assets(folder)
    with pytest.raises(SettingError, match="make page"):
        load_assets(tmp_path / "none")
