"""Text as a file, for libraries that read nothing else."""

import contextlib
import os
import tempfile
from collections.abc import Iterator


@contextlib.contextmanager
def text_file(text: str, suffix: str) -> Iterator[str]:
    """The path of a file that holds the text until the end of the block."""
    descriptor, path = tempfile.mkstemp(suffix=suffix, text=True)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
