"""Goes on with a run exactly where its last complete checkpoint left it.

Parameters, optimizer, normalizers and progress come from the checkpoint, the replay buffers from
the segments beside it; keys need no state. So a run that was killed ends in the same bits as one
that was not, on any number of processes that its workers can be shared by.
"""

from pathlib import Path
from typing import Any, NamedTuple

from grasp_func import segments
from grasp_func.checkpoint import KEPT, load_checkpoint, read_facts, save_checkpoint
from grasp_func.config import Config, ConfigError, recorded_config
from grasp_func.ddpg import AgentState
from grasp_func.replay import ReplayBuffer
from grasp_func.saves import SaveError
from grasp_func.train import Progress, Report, Run, empty_buffers, initial_state

CHANGEABLE = ("epochs", "early_stop", "confirm_episodes")
FORMAT = 1


class Start(NamedTuple):
    """Where training starts or goes on."""

    state: AgentState
    progress: Progress
    buffers: list[ReplayBuffer]
    rows: list[dict[str, Any]]  # statistics so far


def fresh(run: Run) -> Start:
    """Returns the beginning of a run."""
    return Start(initial_state(run), Progress(), empty_buffers(run), [])


def find_run(save_dir: Path, env_id: str, choice: str) -> Path:
    """Returns a run's checkpoint folder: the one named, for "auto" the environment's newest.

    Raises:
        SaveError: there is none.
    """
    if choice != "auto":
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
    facts = read_facts(directory)
    if facts.get("format") != FORMAT:
        raise SaveError(f"{directory}: format {facts.get('format')}, this version reads {FORMAT}")
    if facts["env"] != env_id:
        raise SaveError(f"{directory}: a run of {facts['env']}, not of {env_id}; mind --env")
    recorded = {**facts["config"], "workers": facts["workers"], "seed": facts["seed"]}
    before, cfg = recorded_config(recorded, []), recorded_config(recorded, overrides)
    for key in Config.model_fields:
        if key not in CHANGEABLE and getattr(cfg, key) != getattr(before, key):
            raise ConfigError(
                f"--set {key}: a resumed run keeps {key} = {getattr(before, key)}, "
                f"expected only {', '.join(CHANGEABLE)} to change"
            )
    if facts["finished"] and cfg == before:
        raise ConfigError(
            f"{directory}: this run has finished; --set epochs=N or early_stop=X to go on"
        )
    return cfg


def restore(run: Run, directory: Path) -> Start:
    """Reads the newest complete checkpoint of a run; every process reads its workers' replay.

    Raises:
        CheckpointError, SaveError: a part is missing, damaged or of another size.
    """
    _, state, facts = load_checkpoint(directory, initial_state(run))
    progress = Progress(**facts["progress"])
    buffers = [
        segments.read_buffer(
            directory, worker, progress.epoch, _episodes_per_epoch(run), buffer, run.layout
        )
        for worker, buffer in zip(run.workers.hosted, empty_buffers(run), strict=True)
    ]
    return Start(state, progress, buffers, facts["rows"])


def save(run: Run, directory: Path, env_id: str, report: Report, rows: list[Any]) -> None:
    """Writes a checkpoint; every process must call it. Complete once the first process is done.

    Raises:
        SaveError: a file cannot be written; the checkpoint before stays whole.
    """
    epoch, per_epoch = report.progress.epoch, _episodes_per_epoch(run)
    for worker, buffer in zip(run.workers.hosted, report.buffers, strict=True):
        segments.write_segment(directory, worker, epoch, buffer.newest(per_epoch))
    run.workers.gather([None] * len(run.workers.hosted))  # all segments are on disk
    if run.workers.is_root:
        facts = {
            "format": FORMAT,
            "env": env_id,
            "seed": run.key.seed,
            "workers": run.workers.total,
            "config": run.cfg.model_dump(mode="json"),
            "progress": report.progress._asdict(),
            "rows": rows,
            "finished": report.is_last(run.cfg),
        }
        save_checkpoint(directory, epoch, report.state, facts)
    for worker, buffer in zip(run.workers.hosted, report.buffers, strict=True):
        oldest_kept = max(1, epoch - KEPT + 1)
        first = segments.first_needed(oldest_kept, per_epoch, len(buffer.moved))
        segments.prune(directory, worker, first)


def _episodes_per_epoch(run: Run) -> int:
    return run.cfg.cycles * run.cfg.rollouts
