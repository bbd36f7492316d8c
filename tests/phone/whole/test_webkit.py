"""A phone in WebKit, which is what every browser on an iPhone is made of."""

import pytest

from tests.phone.whole.network import MODEL
from tests.phone.whole.webkit import is_installed, webkit

pytestmark = [
    pytest.mark.process,
    pytest.mark.xdist_group("phones"),
    pytest.mark.timeout(300),
    pytest.mark.skipif(not is_installed(), reason="needs WebKitWebDriver and Xvfb: `make webkit`"),
]

#: WebKit tells nothing of battery and connection, so the owner does.
SAY = """
for (const what of ["It is plugged in", "This connection is not metered"])
  [...document.querySelectorAll("label")].find((label) => label.innerText === what).click();
"""


def test_a_phone_with_webkit_joins_and_serves_as_others_do(network, client):
    with webkit() as phone:
        phone.open(network.link())
        phone.click("button[type=submit]")
        phone.wait_for("[role=switch]", within=120)
        phone.run(SAY)
        phone.click("[role=switch]")
        phone.wait_for('#doing[data-doing="waiting"]', within=60)

        job = client.submit(MODEL, "text", deadline=120)

        assert job.result(120).shape == (384,)
        assert [job.reports[-1].device] == network.phones()
