"""Goes on with a run exactly where its last complete checkpoint left it.

Parameters, optimizer, normalizers and progress come from the checkpoint, the replay buffers from
the replay shards beside it; keys need no state. So a run that was killed ends in the bits of one
that was not, on any number of processes that divides its workers. A checkpoint is checked
as a whole before the first file is written.
"""

from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from grasp_func.config.load import Config, recorded_config
from grasp_func.core.ddpg import AgentState
from grasp_func.core.replay import ReplayBuffer
from grasp_func.errors import ConfigError, SaveError
from grasp_func.runtime.comm import on_each, on_root
from grasp_func.storage import replay_shards
from grasp_func.storage.agent import fitting_from_files, from_files
from grasp_func.storage.agent_files import read_agent
from grasp_func.storage.checkpoint import KEPT, load_checkpoint, read_facts, save_checkpoint
from grasp_func.storage.run_dir import pretrain_directory
from grasp_func.training.loop import EpochResult
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import Run, empty_buffers, initial_state

CHANGEABLE = ("epochs", "early_stop", "confirm_episodes")
FORMAT = 3  # of the facts and of the replay shards; another one is refused


class ResumePoint(NamedTuple):
    """Where training starts or goes on."""

    state: AgentState
    progress: ScheduleState
    buffers: list[ReplayBuffer]
    rows: list[dict[str, Any]]  # statistics so far
    history: list[str]  # where the run came from, one line for each time it was resumed


class Facts(BaseModel):
    """What a checkpoint holds besides the agent's state."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    format: int
    env: str
    seed: int
    workers: int
    config: dict[str, Any]
    progress: dict[str, Any]  # exactly the fields of ScheduleState
    episodes: int  # given to each worker's replay buffer so far
    rows: list[dict[str, Any]]
    history: list[str]
    finished: bool


def fresh(run: Run) -> ResumePoint:
    """Returns the beginning of a run."""
    return ResumePoint(initial_state(run), ScheduleState(), empty_buffers(run), [], [])


def find_run(save_dir: Path, env_id: str, choice: str) -> Path:
    """Returns a run's checkpoint folder: the one named, for "auto" the environment's newest.

    Raises:
        SaveError: there is none.
    """
    if choice != "auto":
        if Path(choice).absolute().parent.name != "checkpoints":
            raise SaveError(f"{choice}: not a run, expected {save_dir}/{env_id}/checkpoints/<run>")
        return Path(choice)
    parent = save_dir / env_id / "checkpoints"
    runs = sorted(parent.glob("*/"), key=lambda path: path.stat().st_mtime)
    if not runs:
        raise SaveError(f"{parent}: no run to resume; train without --resume first")
    return runs[-1]


def resumed_config(directory: Path, env_id: str, overrides: list[str]) -> Config:
    """Returns the run's own configuration; a few keys may change.

    Raises:
        SaveError: no complete checkpoint, or one of another environment or format.
        ConfigError: an override changes what the run depends on.
    """
    epoch, content = read_facts(directory)
    facts = _facts(directory, epoch, content)
    if facts.env != env_id:
        raise SaveError(f"{directory}: a run of {facts.env}, not of {env_id}; mind --env")
    recorded = {**facts.config, "workers": facts.workers, "seed": facts.seed}
    before, cfg = recorded_config(recorded, []), recorded_config(recorded, overrides)
    for key in Config.model_fields:
        if key not in CHANGEABLE and getattr(cfg, key) != getattr(before, key):
            raise ConfigError(
                f"--set {key}: a resumed run keeps {key} = {getattr(before, key)}, "
                f"expected only {', '.join(CHANGEABLE)} to change"
            )
    if cfg.epochs <= epoch or (facts.finished and cfg == before):
        raise ConfigError(
            f"{directory}: this run has finished {epoch} epochs; --set epochs=N or early_stop=X "
            "to go on"
        )
    return cfg


def restore(run: Run, directory: Path, with_replay: bool = True) -> ResumePoint:
    """Reads the newest complete checkpoint of a run; every process must call it.

    Args:
        run: that goes on.
        directory: of its checkpoints.
        with_replay: else the buffers begin empty, and training takes another course.

    Raises:
        SaveError: a part is missing, damaged or of another size, on any process.
    """
    like = initial_state(run)
    return on_each(run.workers.comm, lambda: _restore(run, directory, like, with_replay))


def save(run: Run, directory: Path, env_id: str, report: EpochResult, record: ResumePoint) -> None:
    """Writes a checkpoint; every process must call it. Complete once the first process is done.

    Raises:
        SaveError: a file cannot be written on any process; the checkpoint before stays whole.
    """
    epoch, per_epoch = report.schedule.epoch, _episodes_per_epoch(run)
    local_workers = list(zip(run.workers.local_workers, report.buffers, strict=True))

    def write_shards() -> None:
        for worker, buffer in local_workers:
            replay_shards.write_shard(directory, worker, epoch, buffer.newest(per_epoch))

    def write_state() -> None:
        facts = Facts(
            format=FORMAT,
            env=env_id,
            seed=run.key.seed,
            workers=run.workers.total,
            config=run.cfg.model_dump(mode="json"),
            progress=report.schedule._asdict(),
            episodes=report.buffers[0].n_seen,
            rows=record.rows,
            history=record.history,
            finished=report.is_last(run.cfg),
        )
        save_checkpoint(directory, epoch, report.state, facts.model_dump())

    on_each(run.workers.comm, write_shards)
    on_root(run.workers.comm, write_state)
    for worker, buffer in local_workers:
        oldest_kept = max(1, epoch - KEPT + 1)
        replay_shards.prune(
            directory, worker, replay_shards.first_needed(oldest_kept, per_epoch, len(buffer.moved))
        )


def load_pretrained(
    run: Run, state: AgentState, save_dir: Path, env_id: str
) -> tuple[AgentState, str]:
    """Returns `state` with the agent of saves/pretrain/<env_id>, else of its gripper.

    Returns:
        the state, and a line that tells what was loaded.

    Raises:
        SaveError: there is none, its files are unusable, or they are of an agent of other sizes.
    """
    directory = pretrain_directory(save_dir, env_id, run.env.gripper_type)
    files = read_agent(directory)
    if run.cfg.load_pretrained != "fitting":
        loaded = from_files(run.learner, state, files, directory)
        return loaded, f"{directory}: pre-trained, networks and normalizers loaded"
    loaded, misfits = fitting_from_files(run.learner, state, files)
    if all(misfits.values()):
        raise SaveError(f"{directory}: no layer or normalizer fits, expected load_pretrained false")
    told = ", ".join(part for part in misfits if not misfits[part])
    fresh = ", ".join(part for part in misfits if misfits[part]) or "nothing"
    return loaded, f"{directory}: pre-trained, loaded {told}; fresh {fresh}"


def _facts(directory: Path, epoch: int, content: Any) -> Facts:
    """Returns checked facts of the checkpoint after `epoch` epochs."""
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise SaveError(
            f"{directory}: format {found}, this version reads {FORMAT}; resume with the version "
            "of grasp_func that wrote it, or take its agent: --set load_pretrained=true"
        )
    try:
        facts = Facts.model_validate(content)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise SaveError(f"{directory}: damaged, {where}: {error.errors()[0]['msg']}") from None
    kinds = {name: type(value) for name, value in ScheduleState()._asdict().items()}
    if {name: type(value) for name, value in facts.progress.items()} != kinds:
        raise SaveError(
            f"{directory}: its progress is {', '.join(facts.progress)}, this version of grasp_func "
            f"reads {', '.join(kinds)}: resume with the version that wrote it"
        )
    epochs = [row.get("epoch") for row in facts.rows]
    if epochs != list(range(1, epoch + 1)) or facts.progress["epoch"] != epoch:
        raise SaveError(f"{directory}: damaged, its statistics are not those of {epoch} epochs")
    return facts


def _restore(run: Run, directory: Path, like: AgentState, with_replay: bool) -> ResumePoint:
    epoch, state, content = load_checkpoint(directory, like)
    facts = _facts(directory, epoch, content)
    buffers, per_epoch = empty_buffers(run), _episodes_per_epoch(run)
    for worker, buffer in zip(
        run.workers.local_workers, buffers if with_replay else [], strict=False
    ):
        replay_shards.read_buffer(directory, worker, epoch, per_epoch, facts.episodes, buffer)
    line = (
        f"{directory}: resumed after epoch {epoch} by {run.workers.comm.Get_size()} process(es), "
        f"{run.workers.total} worker(s) with {len(buffers[0])} episodes of replay each"
    )
    return ResumePoint(
        state, ScheduleState(**facts.progress), buffers, facts.rows, [*facts.history, line]
    )


def _episodes_per_epoch(run: Run) -> int:
    return run.cfg.cycles * run.cfg.rollouts
