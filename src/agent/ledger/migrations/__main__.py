"""`make migration NAME=…`: writes the next revision from the difference between `tables` and the revisions so far.

Read what it wrote before you keep it: it sees columns, tables and indexes, not changed CHECKs, nor what must
become of the rows that are there.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command

from agent.ledger.engines import sync_engine
from agent.ledger.schema import config, newest, upgrade


def main() -> None:
    """Write the revision that is named on the command line."""
    [_, name] = sys.argv
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        upgrade(url)
        with sync_engine(url).begin() as connection:
            command.revision(config(connection), name, rev_id=f"{int(newest()) + 1:04}", autogenerate=True)


if __name__ == "__main__":
    main()
