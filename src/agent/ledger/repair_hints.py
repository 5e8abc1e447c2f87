"""What to tell an operator of a ledger that can't be used: in one line what is wrong, and what to do."""

from contextlib import suppress
from datetime import UTC, datetime

from agent.ledger import backup_sqlite, history
from agent.ledger.contents import BackupError
from agent.ledger.database_errors import LedgerDamagedError
from agent.ledger.engines import ledger_file
from agent.ledger.schema import LedgerLostError


def in_one_line(error: Exception, url: str) -> str:
    """The error's own words; for a ledger that is damaged or gone, also its file and how to get it back."""
    if not isinstance(error, LedgerDamagedError | LedgerLostError):
        return str(error)
    anew = "; or begin anew without it: `desk db upgrade --anew`" if isinstance(error, LedgerLostError) else ""
    file = ledger_file(url)
    return f"{f'{file}: ' if file else ''}{error}; {_advice(url)}{anew}"


def _advice(url: str) -> str:
    for backup in history.backups(url):
        with suppress(BackupError, OSError):
            backup_sqlite.read(backup)
            taken = datetime.fromtimestamp(backup.stat().st_mtime, UTC)
            return (
                f"the newest good backup is {backup}, of {taken:%Y-%m-%d %H:%M} UTC: stop the server and run "
                f"`desk db restore {backup} --force`"
            )
    return (
        "no good backup of it is known here: stop the server and run `desk db restore FILE --force` with one that is "
        "kept elsewhere"
    )
