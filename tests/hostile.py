"""Hostile and damaged files that every reader of ours must refuse without running anything."""

import os
import pickle


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, sentinel):
        self.sentinel = sentinel

    def __reduce__(self):
        return os.system, (f"touch {self.sentinel}",)


PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
OPCODES = {  # whole pickles
    "EXT1": b"\x80\x04\x82\x01.",
    "BINPERSID": b"\x80\x04\x8c\x01aQ.",
    "PERSID": b"\x80\x04Pa\n.",
    "GLOBAL": b"\x80\x04cos\nsystem\n.",
    "INST": b"\x80\x04(ios\nsystem\n.",
    "OBJ": b"\x80\x04(cos\nsystem\no.",
    "64 GiB of memo": b"\x80\x04]r\xff\xff\xff\xff.",
    "2 GiB of text": b"\x80\x04X\xff\xff\xff\x7f.",
    "a number of 2 GiB": b"\x80\x04\x8b\xff\xff\xff\x7f.",
    "a frame of exabytes": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x0f.",
    "a list that contains itself": b"\x80\x04]\x94h\x00a.",
    "a deep list": b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "an unhashable key": b"\x80\x04}]K\x01s.",
    "nothing on the stack": b"\x80\x04.",
    "no end": b"\x80\x04K\x01",
}


def damaged(data):
    """Returns what may be left of a file, by name."""
    return {
        "empty": b"",
        "half": data[: len(data) // 2],
        "text": b"hello",
        "flipped": data[:40] + bytes(byte ^ 255 for byte in data[40:60]) + data[60:],
        "zeros": data[:40] + bytes(20) + data[60:],
    }
