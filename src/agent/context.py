"""Per-run settings, as Studio shows them. Not remembered by the platform: send them with every run."""

from pydantic import BaseModel, ConfigDict, Field


class Context(BaseModel):
    """What a caller may set for one run of `customer_service`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer_id: str | None = Field(
        default=None,
        max_length=60,
        description="For a channel (a storefront): the customer in whose name it speaks. A customer needs none.",
    )
