"""Who was forgotten, in DATA_DIR beside the ledger: it outlives a ledger that is lost, and one put back from a backup.

Ids and times only. Imports and restores look here, so that nobody comes back unseen.
"""

import json
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

_FORM = TypeAdapter(dict[str, datetime])


class Forgotten:
    """The list in a file, which only its owner reads. Each method may raise OSError, and ValueError for a file of
    another form."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "forgotten.json"

    def read(self) -> dict[str, datetime]:
        """When each was forgotten, by id."""
        if not self._file.exists():
            return {}
        try:
            return _FORM.validate_json(self._file.read_bytes())
        except ValidationError as error:
            raise ValueError(
                f'{self._file} is no list of who was forgotten; it should be {{"ID": "TIME"}}: put it back from a copy'
            ) from error

    def add(self, customer_id: str, at: datetime) -> None:
        """Note that somebody is forgotten; the time of the first time stays."""
        self._write({customer_id: at} | self.read())

    def remove(self, customer_ids: Collection[str]) -> None:
        """They are customers again."""
        self._write({name: at for name, at in self.read().items() if name not in customer_ids})

    def _write(self, known: dict[str, datetime]) -> None:
        made = self._file.with_suffix(".new")
        made.write_text(json.dumps({name: at.isoformat() for name, at in sorted(known.items())}, indent=1) + "\n")
        made.chmod(0o600)
        made.replace(self._file)
