"""Dext-Gen's normalizer pickles: written without its class, read without executing code.

Dext-Gen pickles objects of its class `mp_rl.core.normalizer.Normalizer`, whose attributes are
float32 arrays, numbers and a list. Source: amacati/dextgen, mp_rl/core/normalizer.py. The writer
names that class without importing it. The reader builds inert stand-ins for five exact names and
refuses every other, so no function that a pickle names is ever called.
"""

import io
import pickle
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from grasp_func.core.normalizer import MIN_STD, NormState, Scaling
from grasp_func.core.types import as_float32
from grasp_func.errors import SaveError
from grasp_func.storage import safe_pickle
from grasp_func.storage.atomic import StrPath, read_bytes

ARRAYS = ("lsum", "lsum_sq", "lcount", "sum", "sum_sq", "count", "mean", "std")
MAX_BYTES = 2**20
LARGEST = float(np.finfo(np.float32).max)
# Without EXT, PERSID, INST and OBJ, which find classes by other means.
OPCODES = {
    *safe_pickle.PLAIN,
    *("BINPUT", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("NONE", "NEWTRUE", "NEWFALSE", "SHORT_BINBYTES", "BINBYTES"),
    *("GLOBAL", "STACK_GLOBAL", "REDUCE", "NEWOBJ", "BUILD"),
}
Doubles = NDArray[np.float64]


def dextgen_normalizer_bytes(moments: NormState, scaling: Scaling) -> bytes:
    """Returns the pickle of a Dext-Gen normalizer that scales as `scaling` does.

    Entries that are not normalised are left out of `idx` and have mean 0 and standard deviation 1,
    so that versions of the class without `idx` scale alike. Sums are those of one process.
    """
    mean, m2, count = moments.mean.numpy(), moments.m2.numpy(), float(moments.count)
    size = len(mean)
    changed = (scaling.mean != 0) | (scaling.std != 1)
    partial = count > 0 and not bool(changed.all())
    stand_in = _Normalizer()
    vars(stand_in).update(
        size=size,
        world_size=1,
        eps2=np.full(size, MIN_STD**2, np.float32),
        clip=float(scaling.clip),
        lsum=np.zeros(size, np.float32),
        lsum_sq=np.zeros(size, np.float32),
        lcount=np.zeros(1, np.float32),
        sum=as_float32(mean * count),
        sum_sq=as_float32(m2 + mean**2 * count),
        count=as_float32([count]),
        mean=as_float32(scaling.mean.numpy()),
        std=as_float32(scaling.std.numpy()),
        coal_buffer=np.zeros(size * 2 + 1, np.float32),
        dist=False,
        idx=torch.nonzero(changed).flatten().tolist() if partial else None,
    )
    stream = io.BytesIO()
    _ForeignPickler(stream, protocol=4).dump(stand_in)
    return stream.getvalue()


def read_dextgen_normalizer(path: StrPath) -> tuple[NormState, Scaling]:
    """Reads a normalizer that Dext-Gen, or `dextgen_normalizer_bytes`, has pickled.

    Raises:
        SaveError: missing, damaged, hostile or no such normalizer; nothing in it is executed.
    """
    try:
        return parse_dextgen_normalizer(read_bytes(path, MAX_BYTES))
    except SaveError:
        raise
    except ValueError as error:
        problem = " ".join(str(error).split())
        raise SaveError(f"{path}: {problem}; expected a normalizer of Dext-Gen") from None


def parse_dextgen_normalizer(data: bytes) -> tuple[NormState, Scaling]:
    """Returns moments and scaling of a pickled normalizer of Dext-Gen.

    Raises:
        ValueError: damaged, hostile or no such normalizer; nothing in it is executed.
    """
    normalizer = safe_pickle.load(data, OPCODES, NAMES)
    if type(normalizer) is not _Normalizer:
        raise ValueError("does not hold a normalizer")
    content = vars(normalizer)
    missing = [name for name in (*ARRAYS, "size", "clip") if name not in content]
    if missing:
        raise ValueError(f"has no {', '.join(missing)}")
    size, clip = content["size"], content["clip"]
    if type(size) is not int or not 0 < size < MAX_BYTES:
        raise ValueError("size is not a positive number")
    # Not-a-number compares false.
    if type(clip) not in (int, float) or not clip > 0:
        raise ValueError("clip is not a number > 0")
    arrays = {
        name: _array(name, content[name], 1 if name.endswith("count") else size) for name in ARRAYS
    }
    keep = _kept(content.get("idx"), size)
    count = float(arrays["count"][0])
    if count < 0 or (arrays["sum_sq"] < 0).any() or (arrays["std"] <= 0).any():
        raise ValueError("count and sum_sq must be >= 0, std > 0")
    mean = arrays["sum"] / max(count, 1.0)
    # Differences of float32 sums can fall below 0.
    m2 = np.maximum(arrays["sum_sq"] - mean**2 * count, 0.0)
    scaling = Scaling(
        torch.from_numpy(np.where(keep, 0.0, arrays["mean"])).float(),
        torch.from_numpy(np.where(keep, 1.0, arrays["std"])).float(),
        # Dext-Gen's default is infinite.
        float(min(clip, LARGEST)),
    )
    moments = NormState(
        count=torch.tensor(count, dtype=torch.float64),
        mean=torch.from_numpy(mean),
        m2=torch.from_numpy(m2),
    )
    return moments, scaling


def _kept(idx: Any, size: int) -> NDArray[np.bool_]:
    """Returns which entries [size] are not normalised: those that `idx` does not list."""
    if idx is None:
        return np.zeros(size, bool)
    if not isinstance(idx, list) or not all(type(i) is int and 0 <= i < size for i in idx):
        raise ValueError(f"idx is not a list of entries of [0, {size})")
    keep = np.ones(size, bool)
    keep[idx] = False
    return keep


def _array(name: str, value: Any, size: int) -> Doubles:
    """Returns a stand-in's numbers [size], or raises ValueError."""
    state = value.state if type(value) is _Array else None
    if type(state) is not tuple or len(state) != 5 or type(state[2]) is not _DType:
        raise ValueError(f"{name} is not an array")
    _, shape, _, _, data = state
    if shape != (size,) or type(data) is not bytes or len(data) != size * 4:
        raise ValueError(f"{name} is not an array of {size} float32")
    numbers = np.frombuffer(data, "<f4").astype(np.float64)
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name} has entries that are not finite")
    return numbers


class _Inert:
    """Keeps the state that a pickle sets; a pickle cannot even change its class."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _Normalizer:
    """Stands for mp_rl.core.normalizer.Normalizer, whose objects are their attributes."""

    def __setstate__(self, state: Any) -> None:
        if type(state) is not dict or not all(type(name) is str for name in state):
            raise pickle.UnpicklingError("the normalizer's attributes are not a dictionary")
        vars(self).update(state)


class _Array(_Inert):
    """Stands for numpy's _reconstruct, which makes the empty array that a pickle then fills."""

    def __init__(self, kind: Any, shape: Any, code: Any) -> None:
        if kind is not _NdArray:
            raise pickle.UnpicklingError("an array of another class than numpy.ndarray")


class _DType(_Inert):
    """Stands for numpy.dtype; float32 only."""

    def __new__(cls, code: Any, align: Any, copy: Any) -> "_DType":
        if code != "f4":
            raise pickle.UnpicklingError("an array of another type than float32")
        return super().__new__(cls)

    def __setstate__(self, state: Any) -> None:
        if type(state) is not tuple or len(state) < 2 or state[1] != "<":
            raise pickle.UnpicklingError("an array that is not little-endian")


class _NdArray(_Inert):
    """Stands for numpy.ndarray, which pickles name but never call."""

    def __init__(self) -> None:
        raise pickle.UnpicklingError("an array that numpy did not pickle")


# NumPy 2 has moved its _reconstruct.
NAMES: dict[tuple[str, str], type] = {
    ("mp_rl.core.normalizer", "Normalizer"): _Normalizer,
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy", "ndarray"): _NdArray,
    ("numpy", "dtype"): _DType,
}


# The pickler in C cannot name classes that are not installed.
class _ForeignPickler(pickle._Pickler):
    """Writes the names that NumPy 1, which Dext-Gen uses, and NumPy 2 both know."""

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module = getattr(obj, "__module__", "")
        qualified = getattr(obj, "__qualname__", "")
        if obj is _Normalizer:
            module, qualified = "mp_rl.core.normalizer", "Normalizer"
        elif qualified == "_reconstruct":
            module = "numpy.core.multiarray"
        assert (module, qualified) in NAMES
        self.save(module)  # type: ignore[attr-defined]
        self.save(qualified)  # type: ignore[attr-defined]
        self.write(pickle.STACK_GLOBAL)  # type: ignore[attr-defined]
        self.memoize(obj)  # type: ignore[attr-defined]
