"""One file from the web: what was fetched of it before is not fetched again."""

from collections.abc import Mapping
from pathlib import Path

import httpx2

from models.sources.edge import Passing, Place, refusal, telling
from models.sources.patience import patiently
from models.sources.source import OnBytes

#: Seconds for an answer, and for each further piece of it.
PATIENCE = 30.0


def download(
    url: str, target: Path, size: int, on_bytes: OnBytes, place: Place, headers: Mapping[str, str] | None = None
) -> None:
    """Fetch a file of so many bytes, and go on where an earlier try ended. What is in it, whoever asks verifies.

    Raises:
        ModelUnavailable: it is not given, or was cut off too often; what came is kept.
    """
    target.touch(mode=0o600)
    # Of what is packed on the way no part could be asked for.
    sent = {**(headers or {}), "Accept-Encoding": "identity"}
    with httpx2.Client(timeout=PATIENCE, follow_redirects=True, headers=sent) as client:
        part = _Part(url, target, size, on_bytes, place, client)
        patiently(part.advance, part.have)


class _Part:
    """A file of which a part may be there."""

    def __init__(
        self, url: str, target: Path, size: int, on_bytes: OnBytes, place: Place, client: httpx2.Client
    ) -> None:
        self._url = url
        self._target = target
        self._size = size
        self._on_bytes = on_bytes
        self._place = place
        self._client = client
        self._etag: str | None = None

    def have(self) -> int:
        """Return how many bytes are there."""
        return self._target.stat().st_size

    def advance(self) -> None:
        """Fetch the rest.

        Raises:
            Passing: it was cut off.
        """
        have = self.have()
        if have == self._size:
            return
        if have > self._size:
            self._begin_anew()
        with telling(self._place), self._client.stream("GET", self._url, headers=self._range()) as response:
            self._take(response)
        if self.have() < self._size:
            raise Passing(f"The model {self._place.model} could not be fetched: {self._place.where} hung up.")

    def _range(self) -> dict[str, str]:
        have = self.have()
        if not have:
            return {}
        # If-Range: another file under this name is given whole.
        return {"Range": f"bytes={have}-"} | ({"If-Range": self._etag} if self._etag else {})

    def _take(self, response: httpx2.Response) -> None:
        if response.status_code == httpx2.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._begin_anew()
            raise Passing(f"{self._place.where} has another file than before. It is fetched anew.")
        if not response.is_success:
            raise refusal(response, self._place)
        if response.status_code != httpx2.codes.PARTIAL_CONTENT:  # the whole of it, whatever was asked for
            self._begin_anew()
        elif not self._goes_on(response):
            self._begin_anew()
            raise Passing(f"{self._place.where} gave another part than was asked for. The file is fetched anew.")
        etag = response.headers.get("etag", "")
        self._etag = etag if etag.startswith('"') else None  # a weak one may not be asked with
        with self._target.open("ab") as file:
            for piece in response.iter_bytes():  # as they come: of larger ones the last would be lost
                file.write(piece)
                self._on_bytes(len(piece))
                if file.tell() > self._size:  # whoever verifies it says that it is too long
                    return

    def _goes_on(self, response: httpx2.Response) -> bool:
        return response.headers.get("content-range", "").startswith(f"bytes {self.have()}-")

    def _begin_anew(self) -> None:
        self._on_bytes(-self.have())
        self._target.write_bytes(b"")
