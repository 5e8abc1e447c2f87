"""How calls are counted over time."""

from hypothesis import given
from hypothesis import strategies as st

from agent.resilience.window import SlidingWindow

SECONDS = 60.0
SLICE = SECONDS / 10


def test_every_kind_of_call_is_counted() -> None:
    window = SlidingWindow(SECONDS, now=0.0)
    window.count(1.0)
    window.count_bad(2.0, "timeout", slow=False)
    window.count_bad(3.0, None, slow=True)
    window.count_bad(4.0, "timeout", slow=True)
    window.count_bad(5.0, "auth", slow=False)
    assert window.totals(6.0) == (5, 2, {"timeout": 2, "auth": 1})


@given(st.lists(st.floats(0.0, 30.0), max_size=60))
def test_it_holds_what_is_recent_and_nothing_too_old(pauses: list[float]) -> None:
    window = SlidingWindow(SECONDS, now=0.0)
    now, calls = 0.0, []
    for pause in pauses:
        now += pause
        window.count(now)
        calls.append(now)
    surely = sum(at > now - SECONDS + SLICE for at in calls)
    at_most = sum(at >= now - SECONDS for at in calls)
    assert surely <= window.totals(now).calls <= at_most
