"""The folders of a run below `saves/`.

`saves/<env>` holds the latest agent and statistics, `saves/<env>/backup/<run>` those of one run
alone, and `saves/<env>/checkpoints/<run>` its checkpoints. The first two have a folder `best` with
the best agent. Departs from Dext-Gen: runs that start
in the same minute get different folders, and no two processes continue the same run.
"""

import contextlib
import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from grasp_func.errors import SaveError
from grasp_func.shipped import PRETRAINED
from grasp_func.storage.atomic import (
    StrPath,
    cannot_write,
    folder_inside,
    open_plain,
    read_bytes,
    reason,
)
from grasp_func.storage.generation import MANIFEST

FILES = ("actor.pt", "critic.pt", "state_norm.pkl", "goal_norm.pkl")  # of an agent
SAVES = Path("saves")  # where runs are saved by default
BEST = "best"  # folder of the best agent
BEST_FACTS = "best.json"
MAX_BYTES = 64 * 2**20  # of a stats.json that is read; 5000 epochs are 4 MB


class RunPaths(NamedTuple):
    """Folders that a run writes to, and the checkpoint that it starts from."""

    latest: Path  # saves/<env>
    backup: Path  # saves/<env>/backup/<run>, this run's alone
    resume_from: Path | None = None  # saves/<env>/checkpoints/<run>/<epoch>
    lock: int | None = None  # descriptor, in the process that opened the run

    @property
    def checkpoints(self) -> Path:
        """saves/<env>/checkpoints/<run>, this run's alone."""
        return self.latest / "checkpoints" / self.backup.name

    def release(self) -> None:
        """Lets other processes continue the run; called by the process that opened it."""
        if self.lock is not None:
            os.close(self.lock)


def open_run(save_dir: StrPath, env_id: str, now: datetime) -> RunPaths:
    """Creates the folders of a run; runs that start in the same minute get different ones.

    Raises:
        SaveError: the folders cannot be created.
    """
    latest = Path(save_dir, env_id)
    stem = now.strftime("%Y_%m_%d_%H_%M")
    backups = folder_inside(latest, "backup")
    number = 1
    while True:
        backup = backups / (stem if number == 1 else f"{stem}_{number}")
        try:
            backup.mkdir()
            break
        except FileExistsError:
            number += 1
        except OSError as error:
            raise cannot_write(latest, error) from error
    return _claimed(RunPaths(latest, backup))


def reopen_run(checkpoint: StrPath) -> RunPaths:
    """Returns the folders of the run that saves/<env>/checkpoints/<run>/<epoch> belongs to.

    Raises:
        SaveError: the folders cannot be written to, or the run is still running.
    """
    checkpoint = Path(checkpoint)
    run = checkpoint.absolute().parent
    latest = run.parents[1]
    return _claimed(RunPaths(latest, folder_inside(latest, "backup", run.name), checkpoint))


def _claimed(paths: RunPaths) -> RunPaths:
    """Locks the run until it is released or this process ends, so that nobody else continues it."""
    folder_inside(paths.latest, "checkpoints", paths.checkpoints.name)
    try:
        with contextlib.ExitStack() as if_refused:
            lock = open_plain(paths.checkpoints / ".running", os.O_RDWR | os.O_CREAT)
            if_refused.callback(os.close, lock)
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if_refused.pop_all()
    except BlockingIOError:
        raise SaveError(
            f"{paths.checkpoints}: this run is running; end it first, or train without --resume"
        ) from None
    except OSError as error:
        raise cannot_write(paths.checkpoints, error) from error
    return paths._replace(lock=lock)


def best_or_latest(directory: StrPath) -> Path:
    """Returns the folder of the best agent inside `directory`, or `directory` if there is none."""
    best = Path(directory, BEST)
    return best if holds_agent(best) else Path(directory)


def holds_agent(directory: Path) -> bool:
    """Returns whether a folder holds an agent."""
    return any((directory / name).is_file() for name in (MANIFEST, FILES[0]))


def pretrain_directory(save_dir: StrPath, env_id: str, gripper_type: str) -> Path:
    """Returns the folder of the agent to start from: the environment's, else its gripper's.

    They are looked for in `save_dir`/pretrain, in saves/pretrain, and among the agents that come
    with grasp_func. If the folder holds a best agent, the folder of that one is returned.

    Raises:
        SaveError: there is none.
    """
    parents = dict.fromkeys((Path(save_dir), SAVES))
    names = dict.fromkeys((env_id, gripper_type))
    own = [parent / "pretrain" / name for parent in parents for name in names]
    for directory in (*own, *(PRETRAINED / name for name in names)):
        if directory.is_dir():
            return best_or_latest(directory)
    raise SaveError(
        f"{' or '.join(map(str, own))}: no such folder, and none comes with grasp_func: put "
        f"{', '.join(FILES)} there, or start without a pre-trained agent"
    )


def recorded_kwargs(directory: StrPath, env_id: str) -> list[str]:
    """Returns the environment's arguments of the run in `directory`, each as `kwargs.NAME=VALUE`.

    Empty where the folder holds neither best.json nor stats.json, or those of another environment.

    Raises:
        SaveError: the file is not readable.
    """
    paths = [Path(directory, name) for name in (BEST_FACTS, "stats.json")]
    path = next((path for path in paths if path.exists()), None)
    if path is None:
        return []
    try:
        stats = json.loads(read_bytes(path, MAX_BYTES))
        kwargs = stats["config"]["kwargs"] if stats["env"] == env_id else {}
        return [f"kwargs.{name}={json.dumps(value)}" for name, value in kwargs.items()]
    except SaveError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SaveError(
            f"{path}: not the statistics of a run ({reason(error)}); delete the file"
        ) from None
