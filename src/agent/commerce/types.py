"""What everything in the shop is written in: ids, amounts of money, addresses. One form of each, for every door."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent.text import RULE, is_storable

Id = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9#][A-Za-z0-9_.#-]{0,59}$")]
"""The one grammar of ids, of an imported shop's and of commands'."""

OrderId = Annotated[
    str,
    StringConstraints(
        strict=True, max_length=60, pattern=r"^[A-Za-z0-9#][A-Za-z0-9_.#-]*(?:/[A-Za-z0-9][A-Za-z0-9_.#-]*)*$"
    ),
]
"""An id that may have parts, such as 2026/0001. How people write it is for `order_numbers`."""

LARGEST_AMOUNT = 2_000_000_000
"""In minor units; no provider takes more in one charge."""

Amount = Annotated[int, Field(strict=True, gt=0, le=LARGEST_AMOUNT)]
"""Money in minor units of the shop's currency, more than nothing."""


class Form(BaseModel):
    """A value that comes from outside: nothing that it does not name, nothing converted, nothing that can't be kept."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        if not is_storable(self.__dict__):
            raise ValueError(RULE)
        return self


class Address(Form):
    """Where somebody lives, or something is shipped to."""

    line1: str = Field(min_length=1, max_length=200)
    line2: str = Field(default="", max_length=200)
    city: str = Field(min_length=1, max_length=100)
    state: str = Field(default="", max_length=100)
    postcode: str = Field(min_length=1, max_length=20)
    country: str = Field(min_length=1, max_length=100)
