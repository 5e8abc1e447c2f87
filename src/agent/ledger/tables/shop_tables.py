"""The shop's tables: what it sells, to whom, and how they pay."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from agent.ledger.base import Base


class ProductRow(Base):
    """Something the shop sells, in one or more variants."""

    __tablename__ = "products"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class VariantRow(Base):
    """A sellable option of a product with its price and its stock; `on_hand - reserved` can be sold."""

    __tablename__ = "variants"
    __table_args__ = (
        CheckConstraint("reserved >= 0", name="reserved_not_negative"),
        CheckConstraint("on_hand >= reserved", name="never_oversold"),
        CheckConstraint("price >= 0", name="price_not_negative"),
    )
    sku: Mapped[str] = mapped_column(String(40), primary_key=True)
    product_id: Mapped[str] = mapped_column(ForeignKey("products.id"), index=True)
    options: Mapped[dict[str, Any]]
    price: Mapped[int]
    warehouse: Mapped[str] = mapped_column(String(40))
    on_hand: Mapped[int]
    reserved: Mapped[int] = mapped_column(default=0)


class CustomerRow(Base):
    """A customer; `address` is the default ship-to."""

    __tablename__ = "customers"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    first_name: Mapped[str] = mapped_column(String(100))
    last_name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(200), unique=True)  # in lower case
    address: Mapped[dict[str, Any]]
    profile_changed_at: Mapped[datetime | None]
    frozen_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]  # when what was personal of it was erased; nobody is this customer any more


class PaymentMethodRow(Base):
    """One way in which a customer pays. A token is a provider's name for the card; never a card number.

    `tokens` are by provider; without them `token` is that of the first, whichever the settings name.
    """

    __tablename__ = "payment_methods"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    customer_id: Mapped[str] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # card, paypal, gift_card
    label: Mapped[str] = mapped_column(String(100))
    token: Mapped[str] = mapped_column(String(100))  # empty where there are `tokens`
    tokens: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))

    def tokens_by_provider(self, first: str) -> Mapping[str, str]:
        """The token of each provider that takes it; `first` is the provider of a token that names none."""
        return {first: self.token} if self.tokens is None else self.tokens
