"""`@reads` and `@writes`: a method over a `Session` becomes one to await, which runs whole as one transaction."""

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy.orm import Session

from agent.ledger.database import Database


class OnLedger(Protocol):
    """Something that works on a ledger."""

    _db: Database


S = TypeVar("S", bound=OnLedger)
P = ParamSpec("P")
T = TypeVar("T")
Plain = Callable[Concatenate[S, Session, P], T]
Awaited = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]


def reads(method: Plain[S, P, T]) -> Awaited[S, P, T]:
    """Run a method as one consistent read (`Database.read`)."""

    async def whole(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.read(lambda session: method(self, session, *args, **kwargs))

    update_wrapper(whole, method)
    return whole


def writes(method: Plain[S, P, T]) -> Awaited[S, P, T]:
    """Run a method as one transaction (`Database.write`)."""

    async def whole(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._db.write(lambda session: method(self, session, *args, **kwargs))

    update_wrapper(whole, method)
    return whole
