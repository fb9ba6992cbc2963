"""Checkpoints of the agent's state through orbax; the only file that imports it.

Orbax writes to a temporary directory and renames it, so a killed run leaves the previous checkpoint
whole. Tensors travel as NumPy arrays under the names of their place in the state. Orbax accepts a
target of another shape in silence, so shapes and types are checked here.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import torch

from grasp_func.ddpg import AgentState

KEPT = 2


class CheckpointError(ValueError):
    """A checkpoint is missing or does not fit the run."""


def save_checkpoint(directory: Path, epoch: int, state: AgentState, facts: dict[str, Any]) -> None:
    """Writes a checkpoint below `directory`/`epoch` and removes all but the last two.

    Args:
        directory: belongs to this run alone.
        epoch: epochs completed.
        state: every leaf is kept, bit for bit.
        facts: anything JSON can hold.
    """
    from orbax import checkpoint as ocp

    arrays = {name: leaf.numpy() for name, leaf in _named_leaves(state).items()}
    with _manager(directory) as manager:
        manager.save(
            epoch,
            args=ocp.args.Composite(
                state=ocp.args.StandardSave(arrays), facts=ocp.args.JsonSave(facts)
            ),
        )


def load_checkpoint(directory: Path, like: AgentState) -> tuple[int, AgentState, dict[str, Any]]:
    """Reads the newest checkpoint below `directory`.

    Args:
        directory: as given to `save_checkpoint`.
        like: a state of the run that goes on; gives names, shapes and types.

    Returns:
        (epochs completed, state, facts).

    Raises:
        CheckpointError: there is none, or it is of another shape.
    """
    epoch, found = _restore(directory, ("state", "facts"))
    expected = _named_leaves(like)
    arrays = {name: np.asarray(array) for name, array in found["state"].items()}
    if set(arrays) != set(expected):
        raise CheckpointError(
            f"{directory}: holds other parts than an agent's state: {sorted(arrays)}"
        )
    for name, leaf in expected.items():
        array = arrays[name]
        if array.shape != tuple(leaf.shape) or array.dtype != leaf.numpy().dtype:
            raise CheckpointError(
                f"{directory}: {name} is {array.dtype} {array.shape}, "
                f"this run needs {leaf.dtype} {tuple(leaf.shape)}; "
                "resume with the networks and the environment of the checkpoint"
            )
    leaves = [torch.from_numpy(arrays[name].copy()) for name in expected]
    return epoch, jax.tree.unflatten(jax.tree.structure(like), leaves), found["facts"]


def read_facts(directory: Path) -> dict[str, Any]:
    """Returns the facts of the newest checkpoint below `directory`.

    Raises:
        CheckpointError: there is none, or it is damaged.
    """
    facts: dict[str, Any] = _restore(directory, ("facts",))[1]["facts"]
    return facts


def _restore(directory: Path, parts: tuple[str, ...]) -> tuple[int, Any]:
    """Returns the newest complete checkpoint's epoch and the parts of it that are asked for."""
    from orbax import checkpoint as ocp

    if not directory.is_dir():
        raise CheckpointError(f"{directory}: no checkpoint there")
    readers = {"state": ocp.args.StandardRestore(), "facts": ocp.args.JsonRestore()}
    with _manager(directory) as manager:
        epoch = manager.latest_step()
        if epoch is None:
            raise CheckpointError(f"{directory}: no complete checkpoint there")
        wanted = ocp.args.Composite(**{part: readers[part] for part in parts})
        try:
            return epoch, manager.restore(epoch, args=wanted)
        except Exception as error:  # orbax raises a dozen kinds on damaged files
            reason = (str(error).splitlines() or [type(error).__name__])[0][:100]
            raise CheckpointError(
                f"{directory / str(epoch)}: damaged ({reason}); delete it to resume the one before"
            ) from error


def _named_leaves(state: AgentState) -> dict[str, torch.Tensor]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves}


def _manager(directory: Path) -> Any:
    from orbax import checkpoint as ocp

    options = ocp.CheckpointManagerOptions(max_to_keep=KEPT, enable_async_checkpointing=False)
    return ocp.CheckpointManager(directory.absolute(), options=options)
