"""Resumes a run bit-for-bit from a checkpoint.

Parameters, optimizer, normalizers and schedule come from the checkpoint, the replay buffers from
the replay shards beside it. Random keys need no state. The number of processes may change to any
that divides the number of workers. All parts of a checkpoint are verified before a file is written.
"""

from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, ValidationError

from grasp_func.config.load import Config, recorded_config
from grasp_func.core.ddpg import AgentState
from grasp_func.core.normalizer import NormState, batch_moments
from grasp_func.core.replay import ReplayBuffer
from grasp_func.core.rng import Stream, fold_in, integer_seed
from grasp_func.errors import ConfigError, SaveError
from grasp_func.runtime.comm import on_each
from grasp_func.storage import replay_shards, stats_log
from grasp_func.storage.agent import fitting_from_files, from_files, with_more_inputs
from grasp_func.storage.agent_files import read_agent
from grasp_func.storage.atomic import StrPath
from grasp_func.storage.checkpoint import (
    EPOCH,
    Checkpoint,
    checkpoints_of,
    load_state,
    open_checkpoint,
    verify,
)
from grasp_func.storage.parts import Part
from grasp_func.storage.run_dir import best_or_latest, pretrain_directory
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import Run, empty_buffers, initial_state

CHANGEABLE = ("epochs", "early_stop", "confirm_episodes", "patience")
SAMPLED_GOALS = 200  # their moments are those of entries that a pre-trained agent lacks
FORMAT = 6  # of checkpoints; another one is refused


class ResumePoint(NamedTuple):
    """Where training starts or is resumed."""

    state: AgentState
    progress: ScheduleState
    buffers: list[ReplayBuffer]
    rows: list[dict[str, Any]]  # statistics so far
    history: list[str]  # one line for each time that the run was resumed
    outside: dict[str, Part]  # replay shards and statistics of the checkpoint


class Facts(BaseModel):
    """What a checkpoint holds besides the agent's state, replay and statistics."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: int
    env: str
    seed: int
    workers: int
    config: dict[str, Any]
    progress: dict[str, Any]  # exactly the fields of ScheduleState
    episodes: int  # given to each worker's replay buffer so far
    history: list[str]
    finished: bool


def fresh(run: Run) -> ResumePoint:
    """Returns the beginning of a run."""
    return ResumePoint(
        state=initial_state(run),
        progress=ScheduleState(),
        buffers=empty_buffers(run),
        rows=[],
        history=[],
        outside={},
    )


def find_run(save_dir: StrPath, env_id: str, choice: StrPath) -> Path:
    """Returns the checkpoint to resume from.

    Args:
        save_dir: holds the folders of all environments.
        env_id: the environment.
        choice: "auto" for the newest run of the environment, a run's folder, or a checkpoint's
            folder `<run>/<epoch>`. Of a run the newest checkpoint is taken.

    Raises:
        SaveError: there is none.
    """
    parent = Path(save_dir, env_id, "checkpoints")
    path = Path(choice)
    if choice == "auto":
        runs = sorted(parent.glob("*/"), key=lambda path: path.stat().st_mtime)
        if not runs:
            raise SaveError(f"{parent}: no run to resume; train without --resume first")
        path = runs[-1]
    elif EPOCH.fullmatch(path.name) and path.absolute().parents[1].name == "checkpoints":
        return path
    elif path.absolute().parent.name != "checkpoints":
        raise SaveError(f"{path}: not a run, expected {parent}/<run> or {parent}/<run>/<epoch>")
    found = checkpoints_of(path)
    if not found:
        raise SaveError(
            f"{path}: no checkpoint there; begin again without --resume, or name another run with "
            "--resume DIR"
        )
    return found[-1]


def resumed_config(path: StrPath, env_id: str, overrides: list[str]) -> Config:
    """Returns the run's own configuration; a few keys may change.

    Args:
        path: of the checkpoint.
        env_id: the environment that the user names.
        overrides: `key=value` each.

    Raises:
        SaveError: the checkpoint is damaged, or of another environment or format.
        ConfigError: an override changes a key that the run depends on.
    """
    checkpoint = open_checkpoint(path)
    facts = _facts(checkpoint)
    if facts.env != env_id:
        raise SaveError(f"{path}: a run of {facts.env}, not of {env_id}; mind --env")
    recorded = {**facts.config, "workers": facts.workers, "seed": facts.seed}
    before, cfg = recorded_config(recorded, []), recorded_config(recorded, overrides)
    for key in Config.model_fields:
        if key not in CHANGEABLE and getattr(cfg, key) != getattr(before, key):
            raise ConfigError(
                f"--set {key}: a resumed run keeps {key} = {getattr(before, key)}, "
                f"expected only {', '.join(CHANGEABLE)} to change"
            )
    if cfg.epochs <= checkpoint.epoch or (facts.finished and cfg == before):
        raise ConfigError(
            f"{path}: this run has finished {checkpoint.epoch} epochs; --set epochs=N, "
            "early_stop=X or patience=N to go on"
        )
    return cfg


def restore(run: Run, path: StrPath, with_replay: bool = True) -> ResumePoint:
    """Reads a checkpoint; every process must call it.

    Args:
        run: the run that is resumed.
        path: of the checkpoint.
        with_replay: False begins with empty buffers, so that training takes another course.

    Raises:
        SaveError: a part is missing, damaged or of another size, on any process.
    """
    like = initial_state(run)
    return on_each(run.workers.comm, lambda: _restore(run, path, like, with_replay))


def needed_shards(run: Run, workers: range, epoch: int, held: int) -> list[str]:
    """Returns the names of the shards of the workers' buffers after an epoch.

    Args:
        run: the run.
        workers: whose buffers.
        epoch: epochs completed.
        held: episodes in each buffer.
    """
    first = replay_shards.first_needed(epoch, episodes_per_epoch(run), held)
    numbers = range(first, epoch + 1)
    return [replay_shards.shard_name(worker, number) for worker in workers for number in numbers]


def episodes_per_epoch(run: Run) -> int:
    """Returns the number of episodes that a worker plays in an epoch."""
    return run.cfg.cycles * run.cfg.rollouts


def load_pretrained(
    run: Run, state: AgentState, save_dir: StrPath, env_id: str
) -> tuple[AgentState, str]:
    """Returns `state` with a pre-trained agent.

    It is that of the folder that the configuration names, or that of the environment, else of its
    gripper.

    Returns:
        the state, and a line that says what was loaded.

    Raises:
        SaveError: there is none, its files are unusable, or the agent has other sizes.
    """
    source = run.cfg.load_pretrained
    if isinstance(source, str) and source != "fitting":
        directory = best_or_latest(source)
    else:
        directory = pretrain_directory(save_dir, env_id, run.env.gripper_type)
    found = read_agent(directory)
    goals = partial(_goal_moments, run)
    files = with_more_inputs(found, run.env_spec, goals, run.learner.products)
    ignored = "" if files is found else "; what it does not know of the goal is ignored at first"
    if source != "fitting":
        loaded = from_files(run.learner, state, files, directory)
        return loaded, f"{directory}: pre-trained, networks and normalizers loaded{ignored}"
    loaded, misfits = fitting_from_files(run.learner, state, files)
    if all(misfits.values()):
        raise SaveError(f"{directory}: no layer or normalizer fits, expected load_pretrained false")
    fitting = ", ".join(part for part in misfits if not misfits[part])
    rest = ", ".join(part for part in misfits if misfits[part]) or "nothing"
    return loaded, f"{directory}: pre-trained, loaded {fitting}; fresh {rest}{ignored}"


def _goal_moments(run: Run) -> NormState:
    """Returns the moments of desired goals, those of `SAMPLED_GOALS` resets."""
    keys = (fold_in(run.key, Stream.PRETRAINED, i) for i in range(SAMPLED_GOALS))
    goals = [run.env.reset(integer_seed(key)).goal for key in keys]
    return batch_moments(torch.from_numpy(np.stack(goals)))


def _facts(checkpoint: Checkpoint) -> Facts:
    """Returns the checked facts of a checkpoint."""
    path, content = checkpoint.path, checkpoint.facts
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise SaveError(
            f"{path}: format {found}, this version reads format {FORMAT}; resume with the version "
            "of grasp_func that wrote it, or copy its agent to saves/pretrain/<env> and start from "
            "it: --set load_pretrained=true"
        )
    try:
        facts = Facts.model_validate(content)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise SaveError(f"{path}: damaged, {where}: {error.errors()[0]['msg']}") from None
    kinds = {name: type(value) for name, value in ScheduleState()._asdict().items()}
    if {name: type(value) for name, value in facts.progress.items()} != kinds:
        raise SaveError(
            f"{path}: its progress is {', '.join(facts.progress)}, this version of grasp_func "
            f"reads {', '.join(kinds)}: resume with the version that wrote it"
        )
    if facts.progress["epoch"] != checkpoint.epoch:
        raise SaveError(f"{path}: damaged, its progress is not that of {checkpoint.epoch} epochs")
    return facts


def _restore(run: Run, path: StrPath, like: AgentState, with_replay: bool) -> ResumePoint:
    checkpoint = open_checkpoint(path)
    facts, directory = _facts(checkpoint), checkpoint.path.parent
    local_workers, epoch = run.workers.local_workers, checkpoint.epoch
    outside, buffers = checkpoint.outside, empty_buffers(run)
    rows = stats_log.read_rows(directory / stats_log.NAME, outside[stats_log.NAME].size)
    epochs = list(range(epoch + 1))  # only a pre-trained run has an epoch 0
    if [row.get("epoch") for row in rows] not in (epochs, epochs[1:]):
        raise SaveError(f"{path}: damaged, its statistics are not those of {epoch} epochs")
    if with_replay:
        held = min(facts.episodes, buffers[0].capacity)
        verify(checkpoint, needed_shards(run, local_workers, epoch, held))
        per_epoch = episodes_per_epoch(run)
        for worker, buffer in zip(local_workers, buffers, strict=True):
            replay_shards.read_buffer(directory, worker, epoch, per_epoch, facts.episodes, buffer)
    else:
        outside = {stats_log.NAME: outside[stats_log.NAME]}
    line = (
        f"{path}: resumed after epoch {epoch} by {run.workers.comm.Get_size()} process(es), "
        f"{run.workers.total} worker(s) with {len(buffers[0])} episodes of replay each"
    )
    return ResumePoint(
        state=load_state(checkpoint, like),
        progress=ScheduleState(**facts.progress),
        buffers=buffers,
        rows=rows,
        history=[*facts.history, line],
        outside=outside,
    )
