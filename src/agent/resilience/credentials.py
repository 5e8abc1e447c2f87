"""Who we are to a backend: one header of each request, fixed or from a source of tokens. `transport` puts it there.

Values are kept out of every text: no `repr`, log line or error here has one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol


class Auth(Protocol):
    """One identity, in one header."""

    @property
    def header(self) -> str:
        """The header's name."""

    @property
    def renewable(self) -> bool:
        """Whether another value can be had when a backend refuses one with 401."""

    async def value(self, refused: str | None = None) -> str:
        """The header's value, and not `refused` if that can be helped."""


@dataclass(frozen=True, slots=True)
class HeaderAuth:
    """A header that stays the same."""

    header: str
    fixed: str = field(repr=False)
    renewable = False

    async def value(self, refused: str | None = None) -> str:  # noqa: ARG002  (there is no other)
        """The fixed value."""
        return self.fixed


class TokenAuth:
    """A token that is fetched when it is first needed, and again when it is refused: once for all who hold the old one.

    Args:
        fetch: gets a new token.
        header: where the token goes.
        form: how it is written there.
    """

    renewable = True

    def __init__(
        self, fetch: Callable[[], Awaitable[str]], *, header: str = "Authorization", form: str = "Bearer {}"
    ) -> None:
        self.header = header
        self._fetch = fetch
        self._form = form
        self._value: str | None = None
        self._fetching = asyncio.Lock()

    async def value(self, refused: str | None = None) -> str:
        """The token in its form; a new one if there is none yet or it is the one that was refused."""
        async with self._fetching:
            if self._value is None or self._value == refused:
                self._value = self._form.format(await self._fetch())
            return self._value
