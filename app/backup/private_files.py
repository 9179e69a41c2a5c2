"""Files and directories for their owner alone, written so that a power cut leaves them whole or not there."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """A new file (0600), on the disk when this returns. Raises OSError."""
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Put a file's content, or a directory's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(draft: Path, target: Path) -> None:
    """Give a finished directory its name, everything in it being on the disk before. Raises OSError."""
    for file in draft.iterdir():
        sync(file)
    sync(draft)
    draft.rename(target)
    sync(target.parent)
