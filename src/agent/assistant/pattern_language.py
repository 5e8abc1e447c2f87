"""A little language for phrases, so that the data in `intent_rules` and `entities` can be read aloud.

Here are its grammar and the word lists that phrases share, not what a phrase means.
"""

import re

from agent.shop import SHOP

_SHORTHANDS = {
    "PRODUCTS": SHOP.products,
    "SHOP": (
        "order*/parcel*/package*/ship*/deliver*/return*/refund*/exchang*/cancel*/pay*/card/cards/charge*"
        "/voucher*/discount*/coupon*/invoice*/receipt*/account*/password*/email/e-mail/phone/address/details"
        "/newsletter/product*/item*/warranty/assembl*/clean*/wash*/stock/available/price*/cost*/sell/buy/purchase"
        f"/store/contact/opening_hours/two-factor/login/log_in/sign_up/{SHOP.products}"
    ),
    "CHANGE": "change/changing/update/updating/modify/edit/editing/correct_my/correct_the/amend/alter",
    "NOT": "doesn't/doesnt/don't/won't/wont/isn't/aren't/not/stopped/can't/cannot",
    "NOT_YET": "hasn't/hasnt/haven't/didn't/didnt/never/isn't/not/still_waiting/yet_to",
    "TROUBLE": "trouble/problem/problems/issue/issues/difficult*/struggl*",
    "ELSEWHERE": "amazon/ebay/ikea/walmart/wayfair/etsy/aliexpress",
}


def phrases(*lines: str) -> re.Pattern[str]:
    """One pattern that finds any of the phrases, whole words only, in any case.

    In a phrase `a/b` is either word, `a*` the word with any ending, `a_b` two words in a choice; a choice that
    ends in `?` may be missing, `…` is up to forty characters, a word in capitals stands for a list above. Nothing
    in it can make matching more than linear in the text.
    """
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(_phrase, lines))})(?!\w)", re.IGNORECASE)


def _phrase(line: str) -> str:
    pattern, blank = "", ""
    for part in line.split():
        if part == "…":
            blank = r"(?!\w).{0,40}?(?<!\w)"
            continue
        choice = _SHORTHANDS.get(part, part).rstrip("?")
        words = "|".join(re.escape(word).replace(r"\*", r"\w*").replace("_", " ") for word in choice.split("/"))
        pattern += f"(?:{blank}(?:{words}))?" if part.endswith("?") else f"{blank}(?:{words})"
        blank = " "
    return pattern
