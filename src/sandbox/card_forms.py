"""What is said on the wire to the sandbox's card network, and what it answers. What it does is in `cards`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[int, Field(gt=0, le=10**12)]


class ChargeRequest(BaseModel):
    """A charge, or a credit, as it is asked for. `amount` in minor units."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    amount: Amount
    currency: str = Field(pattern="^[A-Z]{3}$")
    token: str = Field(min_length=1, max_length=100)


class RefundRequest(BaseModel):
    """A refund as it is asked for: `amount` (minor units) of the charge with the network's id `charge_id`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    charge_id: str
    amount: Amount


class ChargeAnswer(BaseModel):
    """A charge as the network keeps and tells it. `reason` is set when it was declined."""

    model_config = ConfigDict(frozen=True, strict=True)

    id: str
    key: str
    status: Literal["captured", "declined"]
    amount: int
    reason: str


class RefundStanding(BaseModel):
    """How money stands that was to be given back or paid out. It counts as given until it has failed."""

    model_config = ConfigDict(frozen=True, strict=True)

    key: str
    state: Literal["succeeded", "pending", "failed"] = "succeeded"


class RefundAnswer(RefundStanding):
    """A refund as the network keeps and tells it."""

    id: str
    charge_id: str
    amount: int


class CreditAnswer(RefundStanding):
    """Money paid out to a card that did not pay it in."""

    id: str
    amount: int


class Decision(BaseModel):
    """What the network decides about a refund that was pending."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    state: Literal["succeeded", "failed"]


class NoSuchCharge(BaseModel):
    """The network never got a charge with this key. The body of its 404; any other 404 says nothing."""

    model_config = ConfigDict(frozen=True, strict=True)

    no_such_charge: str


class NoSuchRefund(BaseModel):
    """The network never got a refund or a credit with this key. The body of its 404."""

    model_config = ConfigDict(frozen=True, strict=True)

    no_such_refund: str


class Ledger(BaseModel):
    """Everything that the network did, oldest first."""

    charges: list[ChargeAnswer]
    refunds: list[RefundAnswer]
    credits: list[CreditAnswer] = []


class MovementAnswer(BaseModel):
    """One charge that was captured, or one refund or credit; `provider_id` is the charge's, or empty."""

    model_config = ConfigDict(frozen=True)  # SQLite has no booleans

    kind: Literal["capture", "refund"]
    key: str
    provider_id: str
    amount: int
    failed: bool


class Movements(BaseModel):
    """A page of what the network took and gave back."""

    movements: list[MovementAnswer]


class PageRequest(BaseModel):
    """Which part of a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=1_000, ge=1, le=1_000)
