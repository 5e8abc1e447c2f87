"""Files that are their owner's alone: the ledger, the sandbox's books, the platform's own copies of threads."""

import os
from pathlib import Path


def keep_private(folder: Path) -> None:
    """Make a folder, and see to it that what is in it, and whatever this process writes from now on, is the owner's
    alone: 0700 and 0600. Raises OSError when that can't be."""
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    for path, mode in ((folder, 0o700), *((file, 0o600) for file in folder.iterdir() if file.is_file())):
        if path.stat().st_mode & 0o077 and not path.is_symlink():
            path.chmod(mode)
