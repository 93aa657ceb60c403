"""Documents of bars, for those who ask again: a chart is drawn anew every few seconds, its bars hardly ever change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Hashable
from contextlib import aclosing

from fastapi import Request, Response

from .. import errors
from ..aio import AsyncClient

#: Bytes of all of them, and of one: twenty thousand bars have two million.
TOGETHER = 64 << 20
LONGEST = 4 << 20


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
        """Keeps one."""
        _, before = self._documents.pop(what, (0, b""))
        self.bytes += len(document) - len(before)
        self._documents[what] = (revision, document)
        while self.bytes > self.together:
            _, (_, oldest) = self._documents.popitem(last=False)
            self.bytes -= len(oldest)

    async def written(self, what: Hashable, revision: int, parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """The parts of one as they come. It is kept when it has become whole, unless it is too long."""
        held: list[bytes] | None = []
        length = 0
        async with aclosing(parts):
            async for part in parts:
                length += len(part)
                if held is not None and length <= self.longest:
                    held.append(part)
                else:
                    held = None
                yield part
        if held is not None:
            self.put(what, revision, b"".join(held))


def tag(revision: int) -> str:
    """Of an answer with bars: the same while they are."""
    return f'"{revision:016x}"'


async def again(client: AsyncClient, kept: Kept, what: tuple[str, str, Hashable], request: Request) -> Response | None:
    """The answer to who asks again while nothing has changed: that, or the same document."""
    asked, found = request.headers.get("if-none-match"), kept.find(what)
    if asked is None and found is None:
        return None
    symbol, timeframe, _ = what
    try:
        revision = (await client.range(symbol, timeframe)).revision
    except errors.SeriesNotFound:
        return None
    headers = {"ETag": tag(revision)}
    if asked is not None and tag(revision) in asked:
        return Response(status_code=304, headers=headers)
    if found is None or found[0] != revision:
        return None
    return Response(found[1], headers=headers, media_type="application/json")
