"""How the sandbox reads a request and writes an answer: JSON, and an Idempotency-Key with every effect."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_Form = TypeVar("_Form", bound=BaseModel)

KEY_LIMIT = 250
"""Longest idempotency key, in characters."""


class NoBody(BaseModel):
    """Nothing but the idempotency key."""

    model_config = ConfigDict(extra="forbid")


class UnreadableError(Exception):
    """The request is not of the form that this route takes."""

    def __init__(self, wrong: ValidationError) -> None:
        super().__init__(str(wrong))
        self.detail = [
            {**each, "loc": ("body", *each["loc"])} for each in wrong.errors(include_url=False, include_input=False)
        ]


async def effect(request: Request, form: type[_Form]) -> tuple[str, _Form]:
    """The idempotency key, and what is asked for. 400: there is no key. Raises `UnreadableError`."""
    key = request.headers.get("idempotency-key")
    if not key:
        raise HTTPException(400, "send an Idempotency-Key header")
    if len(key) > KEY_LIMIT:
        raise HTTPException(422, f"Idempotency-Key: at most {KEY_LIMIT} characters")
    try:
        return key, form.model_validate_json(await request.body())
    except ValidationError as error:
        raise UnreadableError(error) from error


def answer(told: BaseModel, status: int = 200) -> Response:
    """An answer with this as its body."""
    return Response(told.model_dump_json(), status, media_type="application/json")


async def refused(_: Request, error: Exception) -> Response:
    """The answer to a request that ended in an `HTTPException`."""
    assert isinstance(error, HTTPException)  # noqa: S101  (Starlette calls handlers by the error's type)
    return JSONResponse({"detail": error.detail}, error.status_code, headers=error.headers)


async def unreadable(_: Request, error: Exception) -> Response:
    """The answer to a request that ended in an `UnreadableError`: 422, and what is wrong where."""
    assert isinstance(error, UnreadableError)  # noqa: S101
    return JSONResponse({"detail": error.detail}, 422)
