"""Documents of bars, for those who ask again: a chart is drawn anew every few seconds, its bars hardly ever change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from fastapi import Request, Response

from .. import errors
from ..aio import AsyncClient

#: Bytes of all of them, and of one: twenty thousand bars have two million.
TOGETHER = 64 << 20
LONGEST = 4 << 20
#: Bars of a document that may be one that is kept.
BARS = 40_000
#: What one costs beside its text.
BESIDE = 1 << 10
#: Another form of the documents is another one of this.
FORM = 1


class Kept:
    """The documents that were asked for last, each with the revision of its series. What does not fit goes."""

    def __init__(self, together: int = TOGETHER, longest: int = LONGEST) -> None:
        self.together = together
        self.longest = longest
        self.bytes = 0
        self._documents: OrderedDict[Hashable, tuple[int, bytes]] = OrderedDict()

    def find(self, what: Hashable) -> tuple[int, bytes] | None:
        """A document, and the revision that it holds for."""
        found = self._documents.get(what)
        if found is not None:
            self._documents.move_to_end(what)
        return found

    def put(self, what: Hashable, revision: int, document: bytes) -> None:
        """Keeps one, unless it is too long."""
        if len(document) > self.longest:
            return
        before = self._documents.pop(what, None)
        self.bytes += len(document) + BESIDE
        if before is not None:
            self.bytes -= len(before[1]) + BESIDE
        self._documents[what] = (revision, document)
        while self.bytes > self.together:
            _, (_, oldest) = self._documents.popitem(last=False)
            self.bytes -= len(oldest) + BESIDE


def tag(revision: int) -> str:
    """Of an answer with bars: the same while they are. A weak one: the application may compress what it sends."""
    return f'W/"{FORM}-{revision:016x}"'


def _meant(asked: list[str], answer: str) -> bool:
    tags = [one.strip() for line in asked for one in line.split(",")]
    return "*" in tags or answer.removeprefix("W/") in {one.removeprefix("W/") for one in tags}


async def again(client: AsyncClient, kept: Kept, what: tuple[str, str, Hashable], request: Request) -> Response | None:
    """The answer to who asks again while nothing has changed: that, or the same document."""
    asked, found = request.headers.getlist("if-none-match"), kept.find(what)
    if not asked and found is None:
        return None
    symbol, timeframe, _ = what
    try:
        revision = (await client.range(symbol, timeframe)).revision
    except errors.SeriesNotFound:
        return None
    if revision is None:
        return None
    headers = {"ETag": tag(revision)}
    if _meant(asked, tag(revision)):
        return Response(status_code=304, headers=headers)
    if found is None or found[0] != revision:
        return None
    return Response(found[1], headers=headers, media_type="application/json")
