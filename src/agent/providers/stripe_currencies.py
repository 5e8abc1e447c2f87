"""How many digits after the decimal sign an amount has at Stripe; they are not those of ISO 4217, or CLDR's, for some.

Source: docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies" and "Special cases". Of ISK
support.stripe.com/questions/deprecation-of-fractional-isk-charges-and-refunds says that 100 stays one króna. UGX is
sent with two decimals too, though Stripe lists it with those that have none.
"""

from typing import Final

_ZERO: Final = frozenset(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF")
)
_THREE: Final = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))


def stripe_exponent(currency: str) -> int:
    """2 for most: also for ISK, UGX, HUF and others in which the shop counts whole units."""
    return 0 if currency in _ZERO else 3 if currency in _THREE else 2
