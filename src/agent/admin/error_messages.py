"""What a local verb's failure means to people: one line, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

from agent.client.connection import DeskError, ExitCode
from agent.ledger import repair_hints
from agent.ledger.contents import BackupError
from agent.ledger.database_errors import DatabaseConflictError, DatabaseUnavailableError, LedgerDamagedError
from agent.ledger.schema import SchemaError
from agent.settings import settings


@contextmanager
def in_one_line() -> Iterator[None]:
    """Raise what may go wrong with the ledger, or with a file, as a `DeskError`."""
    try:
        yield
    except (DatabaseUnavailableError, DatabaseConflictError) as error:
        raise DeskError(str(error), ExitCode.UNREACHABLE) from error
    except (LedgerDamagedError, BackupError, SchemaError) as error:
        raise DeskError(repair_hints.in_one_line(error, settings().ledger_url), ExitCode.REFUSED) from error
    except OSError as error:
        raise DeskError(f"{error.filename}: {error.strerror}", ExitCode.USAGE) from error
    except ValueError as error:
        raise DeskError(str(error), ExitCode.USAGE) from error
