"""What came of the traffic, as those saw it who made it: orders by their end, how long answers took, refusals."""

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Account:
    """Counts of one run. An order is in `accepted` once its customer was told so; seconds are of answers that came."""

    seconds_of_orders: list[float] = field(default_factory=list)
    seconds_of_turns: list[float] = field(default_factory=list)
    sent: int = 0
    accepted: list[str] = field(default_factory=list)
    conversations: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    deliveries: int = 0
    denials: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def document(self, ends: Counter[str]) -> dict[str, Any]:
        """All of it for programs; `ends` are the stages in which the accepted orders are now."""
        return {
            "orders": {"sent": self.sent, "accepted": len(self.accepted), **dict(sorted(ends.items()))},
            "denials": dict(self.denials),
            "conversations": self.conversations,
            "turns": len(self.seconds_of_turns),
            "decisions": dict(self.decisions),
            "deliveries": self.deliveries,
            "refusals": dict(self.refusals),
            "seconds": {"order": quantiles(self.seconds_of_orders), "turn": quantiles(self.seconds_of_turns)},
        }


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median, 95th percentile (nearest rank) and maximum, in milliseconds' precision; nothing of nothing."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    ranks = {"p50": 0.5, "p95": 0.95, "max": 1.0}
    return {name: round(ordered[math.ceil(share * len(ordered)) - 1], 3) for name, share in ranks.items()}
