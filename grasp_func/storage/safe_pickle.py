"""Loads untrusted pickles without executing code.

A pickle is a program. Its opcodes are compared with those that plain data needs before it is
loaded, and the names that it may contain lead to stand-ins, never to an import.
"""

import io
import pickle
import pickletools
from collections.abc import Mapping, Set
from typing import Any

from grasp_func.storage.atomic import reason

# All that a dictionary of numbers, strings and lists needs. None of them imports, calls or builds
# objects; LONG_BINPUT is left out because its argument can allocate gigabytes.
PLAIN = {
    *("PROTO", "FRAME", "STOP", "MARK", "MEMOIZE", "BINGET", "LONG_BINGET"),
    *("EMPTY_DICT", "SETITEM", "SETITEMS", "EMPTY_LIST", "APPEND", "APPENDS"),
    *("BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1", "SHORT_BINUNICODE", "BINUNICODE"),
}


def load(
    data: bytes, opcodes: Set[str] = PLAIN, stand_ins: Mapping[tuple[str, str], type] | None = None
) -> Any:
    """Returns the content of a pickle.

    Args:
        data: the pickle.
        opcodes: the opcodes that it may use.
        stand_ins: the class used for each (module, name) that it may contain.

    Raises:
        ValueError: damaged, or it uses another opcode or name; nothing was executed.
    """
    try:
        for opcode, _, _ in pickletools.genops(data):
            if opcode.name not in opcodes:
                raise ValueError(f"refused, its pickle could run code ({opcode.name})")
        return _Unpickler(data, stand_ins or {}).load()
    # A damaged pickle can raise anything.
    except Exception as error:
        why = reason(error)
        known = why if why.startswith("refused") else f"not a readable pickle ({why})"
        raise ValueError(known) from None


def names_classes(data: bytes) -> bool:
    """Returns whether a pickle imports by name, as pickled objects do and plain data does not."""
    try:
        names = {opcode.name for opcode, _, _ in pickletools.genops(data)}
    # A damaged pickle can raise anything.
    except Exception:
        return False
    return bool(names & {"GLOBAL", "STACK_GLOBAL"})


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
