"""What must not be in logs and traces: e-mail addresses, phone, card and account numbers, postal addresses, names,
secrets, what staff noted (law 14). Events hold none by their form; here is what others write: errors, requests, states.

Text is scrubbed by patterns, which can't know a name when they see one. So of what has a form, such as a state, only
what is known to be an id, an enum or a number is shown: `shown`.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from structlog.stdlib import ProcessorFormatter

HIDDEN: Final = "[hidden]"
LONGEST: Final = 100
"""Characters of a text that is shown, and members of a list."""
LARGEST: Final = 2_000_000_000
"""Number that is shown: what an order may cost, in minor units."""

_PERSONAL: Final = (
    "first_name", "last_name", "full_name", "customer_name", "street", "address", "address1", "address2", "line1",
    "line2", "city", "zip", "postcode", "postal_code", "email", "e_mail", "phone", "label", "note", "text", "content",
    "question", "answer", "password", "secret", "token", "api_key", "x-api-key", "authorization", "input_value",
    "ship_to", "query_string",
)  # fmt: skip
"""Keys, in whatever notation, whose values are somebody's."""

_NAMED: Final = "|".join(_PERSONAL)
_VALUE: Final = (
    r"""(?:\\"(?:[^"\\]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
    r"""|\{[^{}]*\}|\[[^\[\]]*\]|[^\s,;&)}\]"']+)"""
)
_PATTERNS: Final = (
    (re.compile(r"\b(?:Bearer|Basic)\s+[\w.~+/=-]+", re.IGNORECASE), HIDDEN),
    # "note": "…", note='…', note=…; JSON inside of JSON has its quotes escaped
    (re.compile(rf"""((?<![\w-])\\?["']?(?:{_NAMED})\\?["']?\s*[:=]\s*){_VALUE}""", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=[\w./-])\?(?=[\w%.-]+=)[^\s\"'<>]*"), f"?{HIDDEN}"),  # a query string
    (re.compile(r"(?<=://)[^\s/@\"']+@"), f"{HIDDEN}@"),  # who one is at an address
    (re.compile(r"\b(?:sk|pk|rk|tok|pm|whsec|lsv2|xox[a-z]|gh[a-z])[-_][\w+/=-]{6,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), HIDDEN),  # a JWT
    (re.compile(r"(?<![\w.+%-])[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+"), HIDDEN),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), HIDDEN),  # IBAN
    (re.compile(r"(?<![\w.:+-])\+\d[\d ().-]{6,}\d"), HIDDEN),  # phone, as E.164 has it
    (re.compile(r"(?<![\w.:-])(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"), HIDDEN),  # North America's
    (
        re.compile(
            r"(?<![\w-])\d{1,5}[a-z]? (?:[A-Z][\w'.-]* ){1,4}"
            r"(?:St(?:reet)?|Ave(?:nue)?|R(?:oa)?d|Lane|Ln|Drive|Dr|Court|Ct|Way|Blvd|Boulevard|Place|Pl|Square|Terrace)\b"
        ),
        HIDDEN,
    ),
)  # fmt: skip
_CARD: Final = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])")
_TELLING: Final = re.compile(r"[@%?+:='\"\d]|eyJ")
"""Without any of these no pattern fits."""


def scrub(text: str) -> str:
    """Text without what patterns know to be somebody's, or secret."""
    if not _TELLING.search(text):
        return text
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return _CARD.sub(_unless_no_card, text)


def _unless_no_card(found: re.Match[str]) -> str:
    """A number whose check digit fits (ISO/IEC 7812-1); one in ten of any others does."""
    digits = [int(c) for c in found[0] if c.isdigit()]
    odd, even = digits[-1::-2], digits[-2::-2]
    total = sum(odd) + sum(sum(divmod(2 * digit, 10)) for digit in even)
    return found[0] if total % 10 else HIDDEN


def error_text(error: str) -> str:
    """An error as a trace may show it: its type and the lines of code, not what it says."""
    kind = re.match(r"[\w.]+", error)
    places = re.findall(r'^ +File "([^"\n]+)", line (\d+), in (\w+)', error, re.MULTILINE)
    lines = [f"{re.split('/site-packages/|/src/', file)[-1]}:{line} {name}" for file, line, name in places]
    return "\n".join([kind[0] if kind else "Error", *lines[-LONGEST:]])


SHOWN: Final = frozenset(
    (
        # the vocabulary's and the states' ids and enums
        "order_id", "thread_id", "run_id", "request_id", "ticket_id", "assistant_id", "graph_id", "checkpoint_id",
        "checkpoint_ns", "task_id", "stage", "processing_stage", "payment_status", "status", "rule", "currency",
        "request_type", "capability", "goto", "node", "case", "decision", "role", "kind", "outcome", "sku", "number",
        "type", "action", "read_by", "act", "event", "provider", "dependency", "purpose",
        # what LangGraph and LangChain say of a run
        "langgraph_node", "langgraph_step", "langgraph_path", "langgraph_checkpoint_ns", "langgraph_triggers",
        "langgraph_version", "langgraph_api_version", "langgraph_plan", "langgraph_host", "langgraph_auth_user_role",
        "created_by", "run_attempt", "LANGSMITH_PROJECT", "ls_provider", "ls_model_name", "ls_model_type", "ls_method",
        "ls_integration", "lc_versions", "revision_id", "finish_reason", "model_name", "usage_metadata",
        "library", "library_version", "sdk", "sdk_version", "runtime", "runtime_version", "platform",
        "langchain_version", "langchain_core_version", "py_implementation",
    )
)  # fmt: skip
"""Keys whose texts are ids or enums."""

_KEY: Final = re.compile(r"[A-Za-z_][\w.-]{0,59}")


def shown(value: Any, key: str = "") -> Any:
    """What of a value may be shown: its form, numbers, and texts under keys that are known to hold ids or enums."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) <= LARGEST else HIDDEN  # larger ones number phones and cards
        case str():
            return scrub(value[:LONGEST]) if key in SHOWN else HIDDEN
        case Mapping():
            return {
                name if _KEY.fullmatch(name) else HIDDEN: shown(each, name)
                for name, each in ((str(name), each) for name, each in value.items())
            }
        case list() | tuple() | set() | frozenset():
            return [shown(each, key) for each in list(value)[:LONGEST]]
        case _ if hasattr(value, "model_dump"):
            return shown(value.model_dump(), key)
        case _:
            return type(value).__name__


class ScrubbingFormatter(logging.Formatter):
    """Formats as another one does, and scrubs the line. Our own events have nothing to scrub."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """One line, or more with a traceback."""
        if record.name != "desk":
            return scrub(self._inner.format(record))
        if not (isinstance(self._inner, ProcessorFormatter) and isinstance(record.msg, dict)):
            return self._inner.format(record)
        # as `ProcessorFormatter` does, without its copy of the record, which took a fifth of an event's time
        said: Any = {**record.msg, "_record": record, "_from_structlog": True}
        for processor in self._inner.processors:
            said = processor(None, "info", said)
        return str(said)


def scrub_logs() -> None:
    """Have all handlers that there are write scrubbed lines. Once; another time finds them so."""
    loggers = [logging.getLogger(), *map(logging.getLogger, list(logging.root.manager.loggerDict))]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        if not isinstance(handler.formatter, ScrubbingFormatter):
            handler.setFormatter(ScrubbingFormatter(handler.formatter or logging.Formatter()))
