"""What the shops of tests sell, and to whom: the goods, customers and past orders of `shops/home`, in any shop's hands.

A test names them whatever shop it runs for (`SHOP`). That one's are the currency, how money and order numbers are
written, and from what amounts on whom to ask.
"""

import atexit
import json
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from agent.commerce.shop_document import Shop
from agent.settings import HOME
from agent.shop import SHOP

_LAST_DIGITS: Final = re.compile(r"[0-9]+(?=[^0-9]*$)")
_AT_HOME: Final = re.compile(r"\bW-(10[0-9]{2})\b")


def order_number(digits: int | str) -> str:
    """An order number as the shop writes them: 1001 is `W-1001` at home, `2026/1001` at the market."""
    return _LAST_DIGITS.sub(str(digits), SHOP.order_number)


def numbered(text: str) -> str:
    """Long text, such as SQL, with the shop's order numbers in place of home's."""
    return _AT_HOME.sub(lambda found: order_number(found[1]), text)


@cache
def goods() -> Shop:
    """The whole shop, as a document to import; `W1001` and its like are its orders."""
    document = json.loads(numbered((HOME / "catalogue.json").read_text()))
    return Shop.model_validate_json(json.dumps(document | {"currency": SHOP.currency}))


NOBODYS: Final = order_number(9999)
"""The number of no order."""

W1001, W1002, W1003, W1004, W1005 = (order_number(digits) for digits in range(1001, 1006))
W1006, W1007, W1008, W1009, W1010 = (order_number(digits) for digits in range(1006, 1011))
W1011, W1012, W1013, W1014, W1015 = (order_number(digits) for digits in range(1011, 1016))


@cache
def goods_dir() -> str:
    """`SHOP_DIR` of a server that is to open with the goods: the shop's own folder, with another catalogue in it."""
    made = TemporaryDirectory()
    atexit.register(made.cleanup)
    shutil.copytree(SHOP.folder, made.name, dirs_exist_ok=True)
    (Path(made.name) / "catalogue.json").write_text(goods().model_dump_json())
    return made.name
