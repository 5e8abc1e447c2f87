"""Text that every store can hold: PostgreSQL keeps no NUL character, and half a surrogate pair has no bytes at all.

Every door asks `is_storable` or takes `Text`, so that what one database refuses is refused by rule on the other too.
What no form takes is told by `first_error`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, ValidationError

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
RULE: Final = "TEXT-CHARACTERS: the text has a character that can't be kept: NUL, or half a surrogate pair"


def is_storable(value: Any) -> bool:
    """Whether every text in a value of JSON's kinds can be kept; however deep it is."""
    left = [value]
    while left:
        part = left.pop()
        if isinstance(part, str) and _UNSTORABLE.search(part):
            return False
        if isinstance(part, Mapping):
            left += [*part, *part.values()]
        elif isinstance(part, list | tuple):
            left += part
    return True


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError(RULE)
    return text


STORABLE: Final = AfterValidator(_storable)
Text = Annotated[str, STORABLE]


def first_error(wrong: ValidationError, of: str = "order") -> str:
    """The field at fault and what is wrong with it; never the value, which may be anything. `of` is what is at fault
    where no field is."""
    error = wrong.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in error['loc']) or of}: {error['msg']}"
