"""Whose desk this is: the shop's folder, `SHOP_DIR`, read once a process. Its form is in docs/customizing.md.

`shop.toml` says what is sold, how money and order numbers are written, and whose yes what needs; beside it lie
`articles/` and, for a shop that is to be tried out, `catalogue.json`. What these mean is decided elsewhere.
"""

import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from agent.money import exponent, format_amount, format_money, read_money
from agent.settings import Settings


def _currency(code: str) -> str:
    exponent(code)
    return code


def _locale(name: str) -> str:
    try:
        return str(Locale.parse(name))
    except (ValueError, TypeError, UnknownLocaleError) as error:
        raise ValueError(f"{name!r} is no locale that is known: they are written like en_US") from error


def _decimal(text: object) -> Decimal:
    try:
        number = Decimal(text if isinstance(text, str) else "")
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number < 10**9:
        raise ValueError('an amount is text with a decimal point, such as "50.00"')
    return number


Money = Annotated[Decimal, BeforeValidator(_decimal)]
Sentence = Annotated[str, Field(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Amounts(_Part):
    """From what amounts on people are asked, and which. Source: retail policy (docs/architecture.md)."""

    refund_by_billing: Money
    large_order: Money
    very_large_order: Money
    gift_card_risk: Money


class Chain(_Part):
    """Who is asked one after the other: each has `due_hours` before the next may answer too, and
    `expiry_hours` before the clock rejects."""

    roles: tuple[str, ...] = Field(min_length=1, max_length=5)
    due_hours: float = Field(default=4, gt=0)
    expiry_hours: float = Field(default=48, gt=0)


class Fault(_Part):
    """What is asked about a family of products before a technician looks at it. `words` in the pattern language."""

    words: Sentence
    question: Sentence


Case = Literal["technical", "billing", "security", "general", "large_order", "very_large_order", "debt"]


class ShopProfile(_Part):
    """What the desk must know about the shop it speaks for.

    Args:
        sells: what customers would say that it sells: "home goods".
        order_number: an example of its order numbers; letters, digits and what stands between them.
        products: what customers call its products, in the pattern language of `assistant.pattern_language`.
    """

    name: Sentence
    sells: Sentence
    currency: Annotated[str, AfterValidator(_currency)]
    locale: Annotated[str, AfterValidator(_locale)]
    order_number: str = Field(pattern=r"^[A-Za-z0-9#][A-Za-z0-9_.#/-]{2,39}$")
    products: Sentence
    amounts: Amounts
    chains: Mapping[Case, Chain]
    faults: tuple[Fault, ...] = ()
    folder: Path

    @property
    def articles(self) -> Path:
        """Where its articles are."""
        return self.folder / "articles"

    @property
    def catalogue(self) -> Path:
        """A whole shop to be tried out; it need not be there."""
        return self.folder / "catalogue.json"

    def money(self, amount: int) -> str:
        """An amount of its currency, in minor units, as its customers write it."""
        return format_money(amount, self.currency, self.locale)

    def amount(self, amount: int) -> str:
        """The same without the currency."""
        return format_amount(amount, self.currency, self.locale)

    def read_money(self, text: object) -> int:
        """An amount that somebody wrote, in minor units. Raises ValueError with what is expected."""
        return read_money(text, self.currency, self.locale)

    def minor(self, amount: Decimal) -> int:
        """An amount of `amounts` in minor units."""
        return int(amount.scaleb(exponent(self.currency)))


def load(folder: Path) -> ShopProfile:
    """The shop of a folder. Raises ValueError that names the file, the place in it, and what is expected there."""
    file = folder / "shop.toml"
    try:
        content: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        profile = ShopProfile.model_validate(content | {"folder": folder})
    except FileNotFoundError as error:
        raise ValueError(f"SHOP_DIR={folder}: there is no shop.toml in it (docs/customizing.md)") from error
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise ValueError(f"{file}: {place}: {problem['msg'].removeprefix('Value error, ')}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: {error}") from error
    for name, amount in profile.amounts:
        if amount.scaleb(exponent(profile.currency)) % 1:
            raise ValueError(f"{file}: amounts.{name}: {amount} has more decimals than {profile.currency}")
    if not any(character.isdigit() for character in profile.order_number):
        raise ValueError(f"{file}: order_number: {profile.order_number!r} has no digit: it is an example of a number")
    if profile.amounts.large_order > profile.amounts.very_large_order:
        raise ValueError(f"{file}: amounts: large_order is more than very_large_order")
    if missing := [case for case in get_args(Case) if case not in profile.chains]:
        raise ValueError(f"{file}: chains: {', '.join(missing)} must have one")
    return profile


SHOP: Final = load(Settings().shop_dir)  # not `settings()`: the platform has yet to say where it listens
