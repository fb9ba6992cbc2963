"""Reads pickles that strangers may have written, without running anything in them.

A pickle is a program. Its opcodes are checked against those that plain data needs before it is
started, and the names that it may ask for lead to stand-ins, never to an import.
"""

import io
import pickle
import pickletools
from collections.abc import Mapping, Set
from typing import Any

from grasp_func.storage.atomic import reason

# Everything that a dictionary of numbers, texts and lists needs; nothing that imports, calls or
# builds objects, and no LONG_BINPUT, whose argument can ask for gigabytes.
PLAIN = {
    *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINGET", "LONG_BINGET"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS"),
    *("BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1", "SHORT_BINUNICODE", "BINUNICODE"),
}


def load(
    data: bytes, opcodes: Set[str] = PLAIN, stand_ins: Mapping[tuple[str, str], type] | None = None
) -> Any:
    """Returns what a pickle holds.

    Args:
        data: the pickle.
        opcodes: all that it may use.
        stand_ins: what it gets for the exact names (module, name) that it may ask for.

    Raises:
        ValueError: anything else, in one line; nothing was executed.
    """
    try:
        for opcode, _, _ in pickletools.genops(data):
            if opcode.name not in opcodes:
                raise ValueError(f"refused, its pickle could run code ({opcode.name})")
        return _Unpickler(data, stand_ins or {}).load()
    except Exception as error:  # a damaged pickle can raise anything
        why = reason(error)
        known = why if why.startswith("refused") else f"not a readable pickle ({why})"
        raise ValueError(known) from None


class _Unpickler(pickle.Unpickler):
    """Finds stand-ins by their exact names and nothing else."""

    def __init__(self, data: bytes, stand_ins: Mapping[tuple[str, str], type]) -> None:
        super().__init__(io.BytesIO(data))
        self.stand_ins = stand_ins

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) not in self.stand_ins:
            raise ValueError(f"refused to import {module}.{name}")
        return self.stand_ins[module, name]

    def persistent_load(self, pid: Any, /) -> Any:
        raise ValueError("refused a persistent id")
