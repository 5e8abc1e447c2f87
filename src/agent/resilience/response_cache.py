"""Answers kept for a while, for those operations that are named, each for whoever asked. `transport` asks here first.

It knows nothing of revalidation: an answer is younger than its time, or gone. In memory, of one process.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from operator import itemgetter

import httpx


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRules:
    """Which answers are kept, and for whom.

    Args:
        seconds: by operation, `METHOD /path`, where `*` stands for anything: `{"GET /articles/*": 60}`. What is not
            named is never kept. The first that fits counts.
        identity: the headers that say who asks, and what changes the answer. None: all of them, so that two who differ
            in any never share; narrow it if one differs each time, such as a request's id.
        most: answers; beyond that the one that was used longest ago goes.
    """

    seconds: Mapping[str, float]
    identity: frozenset[str] | None = None
    most: int = 1000


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    headers: httpx.Headers
    body: httpx.ByteStream


class ResponseCache:
    """The answers of one transport. `clock` gives monotonic seconds."""

    def __init__(self, rules: CacheRules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        self._identity = None if rules.identity is None else {name.lower() for name in rules.identity}
        self._clock = clock
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()  # by a digest: credentials are part of what it is of

    def find(self, request: httpx.Request) -> httpx.Response | None:
        """The answer that was kept, marked by the extension `from_cache`."""
        key = self._key(request)
        kept = self._kept.get(key) if key else None
        if key is None or kept is None:
            return None
        if self._clock() >= kept.until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return httpx.Response(httpx.codes.OK, headers=kept.headers, stream=kept.body, extensions={"from_cache": True})

    def keep(self, request: httpx.Request, response: httpx.Response) -> None:
        """Keep a plain good answer (200) whose body is in memory, unless its headers speak against it."""
        key, body = self._key(request), response.stream
        plain = response.status_code == httpx.codes.OK and self._may_be_shared(response.headers)
        if key is None or not plain or not isinstance(body, httpx.ByteStream):
            return
        until = self._clock() + self._seconds(request)
        self._kept[key] = _Kept(until, response.headers.copy(), body)
        if len(self._kept) > self._rules.most:
            self._kept.popitem(last=False)

    def _key(self, request: httpx.Request) -> bytes | None:
        """What the answer is of, and for whom; None when it is not to be kept, or the question is not in memory."""
        if not (self._seconds(request) and isinstance(request.stream, httpx.ByteStream)):
            return None
        headers = [
            (name, value)
            for name, value in sorted(request.headers.multi_items(), key=itemgetter(0))  # of one name in their order
            if self._identity is None or name in self._identity
        ]
        return sha256(repr((request.method, str(request.url), headers, request.content)).encode()).digest()

    def _seconds(self, request: httpx.Request) -> float:
        operation = f"{request.method} {request.url.path}"
        return next((ttl for known, ttl in self._rules.seconds.items() if fnmatchcase(operation, known)), 0.0)

    def _may_be_shared(self, headers: httpx.Headers) -> bool:
        """Not what sets a cookie or says no-store; nor what varies by a header that our keys leave out."""
        varies = {name.strip().lower() for name in headers.get("vary", "").split(",") if name.strip()}
        unseen = {"*"} if self._identity is None else varies - self._identity
        return not (
            varies & unseen or "set-cookie" in headers or "no-store" in headers.get("cache-control", "").lower()
        )
