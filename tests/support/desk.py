"""What a run of `desk` leaves behind, in this process or another."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Result:
    """Exit code and streams."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)

    @property
    def documents(self) -> list[Any]:
        """What it printed with --json, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        """Its JSON error."""
        return json.loads(self.err)


Desk = Callable[..., Result]
