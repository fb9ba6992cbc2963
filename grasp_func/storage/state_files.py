"""An agent's state as files of orbax; the only module that imports it.

Tensors are stored as NumPy arrays under the names of their places in the state. Orbax accepts a
target of another shape in silence, so shapes and types are checked here, before arrays are read
that a hostile file may call huge.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch

from grasp_func.core.ddpg import AgentState
from grasp_func.errors import SaveError
from grasp_func.storage.atomic import StrPath, reason


def write_state(path: StrPath, state: AgentState) -> None:
    """Writes every leaf of a state, bit for bit, to the new folder `path`.

    Raises:
        Exception: of a dozen kinds, where the folder exists or the disk is full.
    """
    from orbax import checkpoint as ocp

    arrays = {name: leaf.numpy() for name, leaf in _named_leaves(state).items()}
    with _checkpointer() as writer:
        writer.save(Path(path).absolute(), args=ocp.args.StandardSave(arrays))


def read_state(path: StrPath, like: AgentState) -> AgentState:
    """Reads a state from the folder `path`; `like` gives names, shapes and types.

    Raises:
        SaveError: damaged, of another shape, or with numbers that are not finite.
    """
    from orbax import checkpoint as ocp

    path, expected = Path(path).absolute(), _named_leaves(like)
    try:
        with _checkpointer() as reader:
            _check_sizes(path, reader.metadata(path).item_metadata.tree, expected)
            found = reader.restore(path, args=ocp.args.StandardRestore())
        leaves = [torch.from_numpy(np.array(found[name])) for name in expected]
    except SaveError:
        raise
    # Orbax raises a dozen kinds on damaged files.
    except Exception as error:
        raise SaveError(
            f"{path}: damaged ({reason(error)}); resume from another checkpoint: --resume RUN/EPOCH"
        ) from error
    for name, leaf in zip(expected, leaves, strict=True):
        _check_leaf(path, name, leaf, expected[name])
        if not bool(leaf.isfinite().all()):
            raise SaveError(
                f"{path}: {name} has entries that are not finite; resume from another checkpoint: "
                "--resume RUN/EPOCH"
            )
    return jax.tree.unflatten(jax.tree.structure(like), leaves)  # type: ignore[no-any-return]


def _checkpointer() -> Any:
    from orbax import checkpoint as ocp

    # Its log repeats what it raises.
    logging.getLogger("absl").setLevel(logging.CRITICAL)
    return ocp.Checkpointer(ocp.StandardCheckpointHandler())


def _check_sizes(path: Path, found: Any, expected: Mapping[str, torch.Tensor]) -> None:
    """Checks the sizes that the files claim."""
    if set(found) != set(expected):
        raise SaveError(
            f"{path}: holds {sorted(found)}, expected an agent's state: {sorted(expected)}; resume "
            "with the version of grasp_func that wrote it"
        )
    for name, leaf in expected.items():
        _check_leaf(path, name, found[name], leaf)


def _check_leaf(path: Path, name: str, found: Any, expected: torch.Tensor) -> None:
    dtype = str(expected.dtype).removeprefix("torch.")
    shape, found_dtype = tuple(found.shape), str(found.dtype).removeprefix("torch.")
    if (found_dtype, shape) != (dtype, tuple(expected.shape)):
        raise SaveError(
            f"{path}: {name} is {found_dtype} {shape}, this run needs {dtype} "
            f"{tuple(expected.shape)}; resume with the networks and the environment of the "
            "checkpoint"
        )


def _named_leaves(state: AgentState) -> dict[str, torch.Tensor]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves}
