"""What `desk serve` keeps of a customer's threads on disk: after a kill its server knows nothing of some of them."""

import sqlite3
from collections.abc import Set
from contextlib import closing
from pathlib import Path
from typing import Final

from agent.ledger.compaction import compact

_THEIRS: Final = """
    SELECT DISTINCT thread_id FROM checkpoints WHERE json_extract(CAST(metadata AS TEXT), '$.customer_id') = ?
"""


def erase_kept(file: Path, customer_id: str, known: Set[str]) -> None:
    """Erase a customer's threads from the checkpointer's file, if there is one: `known` ones, and those that name them.

    The server may be running. Raises `DatabaseUnavailableError` when it does not let go of the file: do it again then.
    """
    if not file.exists():
        return
    with closing(sqlite3.connect(file, timeout=15)) as connection, connection:
        found = {str(row[0]) for row in connection.execute(_THEIRS, [customer_id])}
        threads = [[thread_id] for thread_id in known | found]
        connection.executemany("DELETE FROM writes WHERE thread_id = ?", threads)
        connection.executemany("DELETE FROM checkpoints WHERE thread_id = ?", threads)
    compact(f"sqlite:///{file}")
