"""Checkpoints of the agent's state through orbax; the only file that imports it.

Orbax writes to a temporary directory and renames it, so a killed run leaves the previous checkpoint
whole; the next one to be written sweeps up what is left. Tensors travel as NumPy arrays under the
names of their place in the state. Orbax accepts a target of another shape in silence, so shapes and
types are checked here, before anything is read that a damaged file may call huge.
"""

import logging
from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch

from grasp_func.core.ddpg import AgentState
from grasp_func.errors import SaveError
from grasp_func.storage.atomic import reason

KEPT = 2


def save_checkpoint(directory: Path, epoch: int, state: AgentState, facts: dict[str, Any]) -> None:
    """Writes a checkpoint below `directory`/`epoch` and removes all but the last two.

    Args:
        directory: belongs to this run alone.
        epoch: epochs completed.
        state: every leaf is kept, bit for bit.
        facts: anything JSON can hold.

    Raises:
        SaveError: it cannot be written; those before are unchanged.
    """
    from orbax import checkpoint as ocp

    arrays = {name: leaf.numpy() for name, leaf in _named_leaves(state).items()}
    parts = ocp.args.Composite(state=ocp.args.StandardSave(arrays), facts=ocp.args.JsonSave(facts))
    try:
        with _manager(directory, cleanup_tmp_directories=True) as manager:
            manager.save(epoch, args=parts, force=True)
    except Exception as error:  # orbax raises ValueError, OSError and others on a full disk
        raise SaveError(
            f"{directory / str(epoch)}: checkpoint cannot be written ({_reason(error)}); those "
            "before are whole: make room, then go on with --resume"
        ) from error


def load_checkpoint(directory: Path, like: AgentState) -> tuple[int, AgentState, dict[str, Any]]:
    """Reads the newest checkpoint below `directory`.

    Args:
        directory: as given to `save_checkpoint`.
        like: a state of the run that goes on; gives names, shapes and types.

    Returns:
        (epochs completed, state, facts).

    Raises:
        SaveError: there is none, it is damaged or of another shape.
    """
    expected = _named_leaves(like)
    epoch, found = _restore(directory, ("state", "facts"), expected)
    leaves = [torch.from_numpy(np.array(found["state"][name])) for name in expected]
    for name, leaf in zip(expected, leaves, strict=True):
        _check_leaf(directory, name, leaf, expected[name])
        if not bool(leaf.isfinite().all()):
            raise SaveError(f"{directory}: {name} has entries that are not finite")
    return epoch, jax.tree.unflatten(jax.tree.structure(like), leaves), found["facts"]


def read_facts(directory: Path) -> tuple[int, Any]:
    """Returns epochs completed and the facts of the newest checkpoint below `directory`.

    Raises:
        SaveError: there is none, or it is damaged.
    """
    epoch, found = _restore(directory, ("facts",))
    return epoch, found["facts"]


def _restore(
    directory: Path, parts: tuple[str, ...], expected: dict[str, torch.Tensor] | None = None
) -> tuple[int, Any]:
    """Returns the newest complete checkpoint's epoch and the parts of it that are asked for."""
    from orbax import checkpoint as ocp

    if not directory.is_dir():
        raise SaveError(f"{directory}: no checkpoint there")
    readers = {"state": ocp.args.StandardRestore(), "facts": ocp.args.JsonRestore()}
    with _manager(directory, read_only=True) as manager:
        epoch = manager.latest_step()
        if epoch is None:
            raise SaveError(
                f"{directory}: no complete checkpoint there; name another run with --resume DIR"
            )
        wanted = ocp.args.Composite(**{part: readers[part] for part in parts})
        try:
            if expected is not None:
                _check_sizes(directory, manager.item_metadata(epoch)["state"].tree, expected)
            return epoch, manager.restore(epoch, args=wanted)
        except SaveError:
            raise
        except Exception as error:  # orbax raises a dozen kinds on damaged files
            raise SaveError(
                f"{directory / str(epoch)}: damaged ({_reason(error)}); delete it to resume the "
                "one before"
            ) from error


def _check_sizes(directory: Path, found: Any, expected: dict[str, torch.Tensor]) -> None:
    """Checks what a checkpoint says of itself."""
    if set(found) != set(expected):
        raise SaveError(f"{directory}: holds other parts than an agent's state: {sorted(found)}")
    for name, leaf in expected.items():
        _check_leaf(directory, name, found[name], leaf)


def _check_leaf(directory: Path, name: str, found: Any, expected: torch.Tensor) -> None:
    dtype = str(expected.dtype).removeprefix("torch.")
    shape, found_dtype = tuple(found.shape), str(found.dtype).removeprefix("torch.")
    if (found_dtype, shape) != (dtype, tuple(expected.shape)):
        raise SaveError(
            f"{directory}: {name} is {found_dtype} {shape}, this run needs {dtype} "
            f"{tuple(expected.shape)}; resume with the networks and the environment of the "
            "checkpoint"
        )


def _reason(error: Exception) -> str:
    """Returns what is wrong, in one line without the paths and specifications of orbax."""
    for known in ("No space left on device", "Read-only file system", "Permission denied"):
        if known in str(error):
            return known
    return reason(error)


def _named_leaves(state: AgentState) -> dict[str, torch.Tensor]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves}


def _manager(directory: Path, **options: bool) -> Any:
    from orbax import checkpoint as ocp

    logging.getLogger("absl").setLevel(logging.CRITICAL)  # it prints what it then raises
    settings = ocp.CheckpointManagerOptions(
        max_to_keep=KEPT, enable_async_checkpointing=False, **options
    )
    handlers = {"state": ocp.StandardCheckpointHandler(), "facts": ocp.JsonCheckpointHandler()}
    return ocp.CheckpointManager(directory.absolute(), options=settings, item_handlers=handlers)
