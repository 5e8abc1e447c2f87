"""Decisions as LangSmith feedback on the runs that took them: what people thought of what was proposed to them.

Only where tracing is on, and nothing waits for it. No note and no name goes there (law 14): the decision alone.
"""

import asyncio
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from langsmith import RunTree, get_current_run_tree
from sqlalchemy import select

from agent.approvals.models import ApprovalView
from agent.identity import Caller
from agent.ledger.database import Database
from agent.ledger.tables import DecisionRow
from agent.observability.events import emit

LONGEST_WAIT_SECONDS: Final = 2.0
"""A decision is held up by no more than this."""


class Feedback:
    """Tells LangSmith of decisions, as the ledger has them."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def give(self, request: ApprovalView, who: Caller | None) -> None:
        """Put this caller's decision on a request, if they made one just now, on the run that we are in."""
        tree = get_current_run_tree()
        if tree is None or who is None or request["refused"]:
            return
        query = select(DecisionRow).where(
            DecisionRow.request_id == request["request_id"], DecisionRow.actor == who.identity
        )
        latest = query.order_by(DecisionRow.round.desc()).limit(1)
        decision = await self._db.read(lambda session: session.scalar(latest))
        if decision is None:
            return
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await asyncio.to_thread(_give, tree, decision)
        except Exception as error:  # noqa: BLE001  (whatever its SDK raises: no approval depends on it)
            emit("feedback.failed", request_id=decision.request_id, error=type(error).__name__)


def _give(tree: RunTree, decision: DecisionRow) -> None:
    """Score 1 for what was approved as it was shown. The id is the decision's: a second giving changes nothing."""
    tree.client.create_feedback(
        trace_id=tree.trace_id,
        key="approval",
        score=int(decision.decision == "approve"),
        value=decision.decision,
        feedback_id=uuid5(NAMESPACE_URL, f"decision:{decision.request_id}/{decision.round}/{decision.step}"),
        session_id=tree.client.read_project(project_name=tree.session_name).id,
        stop_after_attempt=1,
    )
