"""Stop strings: a generated text ends before the first of them, wherever the pieces that it comes in are cut. Pure."""

from collections.abc import Sequence


class StopStrings:
    """Lets text through until a stop string has come; holds back what may be the beginning of one.

    Args:
        stops: the stop strings, none of them empty.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.met = False

    def feed(self, piece: str) -> str:
        """Return what may be shown now, given the next piece; nothing once a stop string has come."""
        if self.met:
            return ""
        text = self._held + piece
        places = [place for place in map(text.find, self._stops) if place >= 0]
        if places:
            self.met, self._held = True, ""
            return text[: min(places)]
        shown = len(text) - self._open(text)
        self._held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """Return what is held back, at the end of the text."""
        held, self._held = self._held, ""
        return held

    def _open(self, text: str) -> int:
        """Return how many characters at the end may be the beginning of a stop string."""
        longest = max((len(stop) - 1 for stop in self._stops), default=0)
        lengths = range(min(longest, len(text)), 0, -1)
        return next((n for n in lengths if any(stop.startswith(text[-n:]) for stop in self._stops)), 0)
