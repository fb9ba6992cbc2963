"""Checkpoints of a run: the agent's state, facts, and a manifest of all parts.

`<run>/<epoch>` holds `state/`, `facts.json` and `manifest.json`. The manifest also lists the parts
outside of that folder: replay shards and statistics. Everything is written to a hidden folder, the
manifest last, and renamed: a folder whose name is a number is complete. A reader compares all parts
with the manifest before it uses one.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from grasp_func.core.ddpg import AgentState
from grasp_func.errors import SaveError
from grasp_func.storage import replay_shards, stats_log
from grasp_func.storage.atomic import StrPath, flush, folder_inside, read_bytes, reason
from grasp_func.storage.parts import Part, manifest_bytes, parse_manifest, part_of_file
from grasp_func.storage.state_files import read_state, write_state

KEPT = 2
MANIFEST, FACTS, STATE = "manifest.json", "facts.json", "state"
SHARDS = f"{replay_shards.FOLDER}/"
STATISTICS = stats_log.NAME
EPOCH = re.compile("[1-9][0-9]{0,8}")  # the name of a checkpoint
MAX_BYTES = 64 * 2**20  # of a manifest, or of facts


class Checkpoint(NamedTuple):
    """A checkpoint whose own parts and statistics are those that its manifest lists."""

    path: Path  # <run>/<epoch>
    parts: dict[str, Part]  # by their names relative to <run>
    facts: Any

    @property
    def epoch(self) -> int:
        """Epochs completed."""
        return int(self.path.name)

    @property
    def outside(self) -> dict[str, Part]:
        """Parts that lie outside of the checkpoint's folder: replay shards and statistics."""
        own = f"{self.path.name}/"
        return {name: part for name, part in self.parts.items() if not name.startswith(own)}


def save_checkpoint(
    directory: StrPath,
    epoch: int,
    state: AgentState,
    facts: Mapping[str, Any],
    outside: Mapping[str, Part],
) -> None:
    """Writes the checkpoint `directory`/`epoch` and removes all but the last two.

    Args:
        directory: belongs to this run alone.
        epoch: epochs completed.
        state: every leaf is kept, bit for bit.
        facts: anything that JSON can hold.
        outside: other parts that the checkpoint needs, by their names relative to `directory`.

    Raises:
        SaveError: it cannot be written; those before are unchanged.
    """
    target = Path(directory, str(epoch))
    staging = folder_inside(directory) / f".{epoch}.tmp"
    _delete(target.parent.glob(".*.tmp"))
    try:
        staging.mkdir()
        write_state(staging / STATE, state)
        (staging / FACTS).write_text(json.dumps(facts))
        written = [path for path in staging.rglob("*") if path.is_file()]
        own = {f"{epoch}/{path.relative_to(staging)}": part_of_file(path) for path in written}
        (staging / MANIFEST).write_bytes(manifest_bytes({**own, **outside}))
        for path in (*staging.rglob("*"), staging):
            flush(path)
        _discard([target])
        staging.rename(target)
        flush(directory)
    # Orbax raises ValueError, OSError and others on a full disk.
    except Exception as error:
        _delete([staging])
        raise SaveError(
            f"{target}: checkpoint cannot be written ({_reason(error)}); those before are whole: "
            "make room, then go on with --resume"
        ) from error
    _discard(checkpoints_of(directory)[:-KEPT])


def checkpoints_of(directory: StrPath) -> list[Path]:
    """Returns a run's checkpoints by ascending epochs; a symbolic link is none."""
    found = [path for path in Path(directory).glob("*") if EPOCH.fullmatch(path.name)]
    folders = [path for path in found if path.is_dir() and not path.is_symlink()]
    return sorted(folders, key=lambda path: int(path.name))


def rewind(directory: StrPath, epoch: int) -> None:
    """Removes the checkpoints after `epoch`."""
    _discard([path for path in checkpoints_of(directory) if int(path.name) > epoch])


def open_checkpoint(path: StrPath) -> Checkpoint:
    """Compares a checkpoint with its manifest, replay shards aside, and reads its facts.

    Raises:
        SaveError: not there, damaged, or of an older format; names the part and a remedy.
    """
    path = Path(path)
    if not path.is_dir():
        raise SaveError(f"{path}: no checkpoint there; name another one with --resume DIR")
    if (path / "facts" / "metadata").is_file():
        raise SaveError(
            f"{path}: format 3 or older, which this version does not read; resume with the version "
            "of grasp_func that wrote it, or copy its agent to saves/pretrain/<env> and start from "
            "it: --set load_pretrained=true"
        )
    parts = _listed(path)
    checkpoint = Checkpoint(path, parts, None)
    others = [name for name in parts if not name.startswith(SHARDS)]
    verify(checkpoint, [f"{path.name}/{FACTS}", STATISTICS, *others])
    try:
        facts = json.loads(read_bytes(path / FACTS, MAX_BYTES))
    except (ValueError, RecursionError):
        raise SaveError(f"{path / FACTS}: damaged, not JSON; {_remedy(path)}") from None
    return checkpoint._replace(facts=facts)


def verify(checkpoint: Checkpoint, names: Iterable[str]) -> None:
    """Compares parts with the manifest.

    Raises:
        SaveError: one is damaged, missing or not listed; names it and a remedy.
    """
    for name in names:
        problem = _problem(checkpoint, name)
        if problem:
            remedy = _remedy(checkpoint.path)
            if name.startswith(SHARDS):
                remedy += "; or begin with an empty replay buffer: --resume --without-replay"
            raise SaveError(f"{checkpoint.path.parent / name}: damaged, {problem}; {remedy}")


def load_state(checkpoint: Checkpoint, like: AgentState) -> AgentState:
    """Reads the agent's state; `like` is a state of the run that is resumed.

    Raises:
        SaveError: damaged, or of another shape.
    """
    return read_state(checkpoint.path / STATE, like)


def _listed(path: Path) -> dict[str, Part]:
    """Returns the parts that a checkpoint's manifest lists."""
    try:
        return parse_manifest(read_bytes(path / MANIFEST, MAX_BYTES))
    except SaveError as error:
        why = "missing" if not os.path.lexists(path / MANIFEST) else str(error)
    except ValueError as error:
        why = str(error)
    raise SaveError(f"{path / MANIFEST}: damaged, {why}; {_remedy(path)}")


def _problem(checkpoint: Checkpoint, name: str) -> str:
    """Returns how a part differs from the manifest; empty if it does not."""
    listed = checkpoint.parts.get(name)
    if listed is None:
        return f"{MANIFEST} does not list it"
    # Rows are appended after the checkpoint.
    growing = name == STATISTICS
    path = checkpoint.path.parent / name
    try:
        if not growing and path.lstat().st_size != listed.size:
            return f"{path.lstat().st_size} bytes in place of {listed.size}"
        found = part_of_file(path, listed.size if growing else None)
    except FileNotFoundError:
        return "missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if found == listed else f"its SHA-256 is not the one in {MANIFEST}"


def _remedy(path: Path) -> str:
    """Returns which checkpoint before `path` is whole, and the option that resumes from it."""
    before = [other for other in checkpoints_of(path.parent) if int(other.name) < int(path.name)]
    for other in reversed(before):
        with contextlib.suppress(SaveError, OSError, ValueError):
            parts = parse_manifest(read_bytes(other / MANIFEST, MAX_BYTES))
            if not any(_problem(Checkpoint(other, parts, None), name) for name in parts):
                return f"epoch {other.name} is whole, go on from there: --resume {other}"
    return (
        "no checkpoint before it is whole, copy the run's agent to saves/pretrain/<env> and start "
        "from it: --set load_pretrained=true"
    )


def _discard(checkpoints: Iterable[Path]) -> None:
    """Removes checkpoints; each loses its name first, so that none is seen in part."""
    for path in checkpoints:
        hidden = path.with_name(f".{path.name}.old.tmp")
        _delete([hidden])
        with contextlib.suppress(OSError):
            path.rename(hidden)
        _delete([hidden])


def _delete(paths: Iterable[Path]) -> None:
    """Deletes files, folders, and symbolic links but not what they lead to."""
    for path in list(paths):
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.is_file():
                path.unlink()
            else:
                shutil.rmtree(path, ignore_errors=True)


def _reason(error: Exception) -> str:
    """Returns what is wrong, in one line without the paths and specifications of orbax."""
    for known in ("No space left on device", "Read-only file system", "Permission denied"):
        if known in str(error):
            return known
    return reason(error)
