"""Many threads that wait: copies of one that does, in the files of a development server that is stopped.

`python -m tests.support.waiting_threads FOLDER COUNT`, in a process of its own: the server's own classes are in its
files, and they want its environment. Each copy is a row as the server writes it, with a request id, an order id and a
due time of its own; the ledger knows nothing of them.
"""

import copy
import os
import pickle
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4


def multiply(folder: Path, count: int) -> None:
    """Add `count` waiting threads to the stopped server in `folder`, each due later than the one that is copied."""
    own = {"DATABASE_URI": ":memory:", "REDIS_URI": "fake", "MIGRATIONS_PATH": "__inmem"}
    command = [sys.executable, "-m", "tests.support.waiting_threads", str(folder), str(count)]
    subprocess.run(command, check=True, timeout=100, env=os.environ | own | {"LANGGRAPH_RUNTIME_EDITION": "inmem"})


def copied(thread: dict[str, Any], number: int) -> dict[str, Any]:
    """A thread like `thread`, of another request."""
    made = copy.deepcopy(thread)
    made["thread_id"] = uuid4()
    made["created_at"] += timedelta(seconds=number)
    [[interrupt]] = made["interrupts"].values()
    view = interrupt["value"]
    due = (datetime.fromisoformat(view["due"]) + timedelta(seconds=number)).isoformat()
    own = {"request_id": f"apr-{number:012x}", "order_id": f"MANY-{number:05}", "due": due}
    interrupt["id"] = f"{number:032x}"
    view.update(own)
    for arguments in (view["action_requests"][0]["args"], view["action_requests"][0]["arguments"]):
        arguments.update(request_id=own["request_id"], order_id=own["order_id"])
    made["metadata"].update(own)
    return made


def main(folder: Path, count: int) -> None:
    """Copy the one thread that waits."""
    path = folder / ".langgraph_api" / ".langgraph_ops.pckl"
    rows = pickle.loads(path.read_bytes())  # noqa: S301  (written by the test's own server)
    [waits] = [thread for thread in rows["threads"] if thread["status"] == "interrupted"]
    rows["threads"] += [copied(waits, number) for number in range(1, count + 1)]
    path.write_bytes(pickle.dumps(rows))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
