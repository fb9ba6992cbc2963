"""Where a run writes and where it starts from: folders below saves/.

`saves/<env>` holds the latest state, `saves/<env>/backup/<time>` what one run alone wrote and
`saves/<env>/checkpoints/<time>` what it needs to go on. Departs from Dext-Gen: runs that start in
the same minute get different folders, and no two processes go on with the same run.
"""

import contextlib
import fcntl
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from grasp_func.errors import SaveError
from grasp_func.storage.atomic import cannot_write

FILES = ("actor.pt", "critic.pt", "state_norm.pkl", "goal_norm.pkl")  # of an agent


class RunPaths(NamedTuple):
    """Where a run writes."""

    latest: Path  # saves/<env>
    backup: Path  # saves/<env>/backup/<time>, this run's alone

    @property
    def checkpoints(self) -> Path:
        """saves/<env>/checkpoints/<time>, this run's alone."""
        return self.latest / "checkpoints" / self.backup.name


def open_run(save_dir: Path, env_id: str, now: datetime) -> RunPaths:
    """Creates the folders of a run; runs that start in the same minute get different ones.

    Raises:
        SaveError: the folders cannot be created.
    """
    latest = save_dir / env_id
    stem = now.strftime("%Y_%m_%d_%H_%M")
    try:
        (latest / "backup").mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            backup = latest / "backup" / (stem if number == 1 else f"{stem}_{number}")
            with contextlib.suppress(FileExistsError):
                backup.mkdir()
                break
            number += 1
    except OSError as error:
        raise cannot_write(latest, error) from error
    return _claimed(RunPaths(latest, backup))


def reopen_run(checkpoints: Path) -> RunPaths:
    """Returns the folders of the run whose checkpoints lie in saves/<env>/checkpoints/<time>.

    Raises:
        SaveError: the folders cannot be written to, or the run is still running.
    """
    latest = checkpoints.absolute().parents[1]
    backup = latest / "backup" / checkpoints.name
    try:
        backup.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(backup, error) from error
    return _claimed(RunPaths(latest, backup))


def _claimed(paths: RunPaths) -> RunPaths:
    """Keeps other processes from going on with this run until this one ends, however it ends."""
    try:
        paths.checkpoints.mkdir(parents=True, exist_ok=True)
        lock = os.open(paths.checkpoints / ".running", os.O_RDWR | os.O_CREAT)  # never closed
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise SaveError(
            f"{paths.checkpoints}: this run is running; end it first, or train without --resume"
        ) from None
    except OSError as error:
        raise cannot_write(paths.checkpoints, error) from error
    return paths


def pretrain_directory(save_dir: Path, env_id: str, gripper_type: str) -> Path:
    """Returns the folder to start from: the environment's own, else its gripper's.

    Raises:
        SaveError: there is neither.
    """
    candidates = [save_dir / "pretrain" / name for name in (env_id, gripper_type)]
    for directory in candidates:
        if directory.is_dir():
            return directory
    raise SaveError(
        f"{candidates[0]}: no such folder, nor {candidates[1]}: put {', '.join(FILES)} into one of "
        "them, or set load_pretrained to false"
    )
