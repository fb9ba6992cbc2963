"""What a run leaves behind: agent, statistics, plot and checkpoint after every epoch."""

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from grasp_func import resume
from grasp_func.agent import to_files
from grasp_func.atomic import atomic_write_bytes
from grasp_func.comm import host_names
from grasp_func.saves import RunPaths, write_agent
from grasp_func.stats import plot_stats, summary, write_stats
from grasp_func.train import Report, Run

PACKAGES = (
    "grasp_func",
    "torch",
    "numpy",
    "pybullet",
    "gymnasium",
    "mpi4py",
    "chex",
    "orbax-checkpoint",
)


def describe(run: Run, env_id: str) -> dict[str, Any]:
    """Returns what must be known to repeat a run; every process must call it."""
    comm = run.workers.comm
    return {
        "env": env_id,
        "seed": run.key.seed,
        "workers": run.workers.total,
        "processes": comm.Get_size(),
        "hosts": host_names(comm),
        "command": sys.argv,
        "versions": {
            "python": sys.version.split()[0],
            **{name: version(name) for name in PACKAGES},
        },
        "config": run.cfg.model_dump(mode="json"),
    }


def make_recorder(
    run: Run, facts: dict[str, Any], paths: RunPaths | None, rows: list[dict[str, Any]]
) -> Callable[[Report], None]:
    """Returns a function that records a report; every process must call it.

    The first process prints a line and, if `paths` is given, replaces the latest files; the backup
    gets its networks with the last report. All of them write the checkpoint.

    Args:
        run: what is recorded.
        facts: of `describe`.
        paths: where to; None: nowhere.
        rows: statistics of earlier epochs.

    Raises (the returned function):
        SaveError: a file cannot be written; what was there before is unchanged.
    """
    rows = list(rows)
    seconds_before = rows[-1]["seconds"] if rows else 0.0

    def record(report: Report) -> None:
        rows.append(row_of(run, report, seconds_before))
        if run.workers.is_root:
            print(progress_line(rows[-1], run.cfg.epochs), flush=True)
            if paths is not None:
                write(report, paths)
        if paths is not None:
            resume.save(run, checkpoint_directory(paths), facts["env"], report, rows)

    def write(report: Report, paths: RunPaths) -> None:
        files = to_files(run.learner, report.state)
        last = report.is_last(run.cfg)
        for directory in (paths.latest, paths.backup) if last else (paths.latest,):
            write_agent(directory, files)
        write_stats(
            paths, {**facts, "finished": last, "params_hash": report.params_hash, "epochs": rows}
        )
        plot_stats(rows, paths.backup / "stats.png")
        picture = (paths.backup / "stats.png").read_bytes()
        atomic_write_bytes(paths.latest / "stats.png", picture)

    return record


def checkpoint_directory(paths: RunPaths) -> Path:
    """Returns where a run's checkpoints lie; each run has its own."""
    return paths.latest / "checkpoints" / paths.backup.name


def row_of(run: Run, report: Report, seconds_before: float) -> dict[str, Any]:
    """Returns an epoch's entry of stats.json."""
    cfg, result, epoch = run.cfg, report.score, report.progress.epoch
    confirmation = report.confirmation
    return {
        "epoch": epoch,
        "env_steps": epoch * cfg.cycles * cfg.rollouts * run.workers.total * run.layout.horizon,
        "updates": int(report.state.step),
        "seconds": round(seconds_before + report.seconds, 1),
        **summary(result),
        "eval_seed": report.eval_seed,
        "confirmation": confirmation and {**summary(confirmation), "seed": report.confirm_seed},
        **report.metrics,
        "phase": report.progress.phase,
        "params_hash": report.params_hash,
    }


def progress_line(row: dict[str, Any], epochs: int) -> str:
    """Returns an epoch's line for people."""

    def rate(value: float | None) -> str:
        return "  -  " if value is None else f"{value:.3f}"

    line = (
        f"epoch {row['epoch']:4d}/{epochs}  {row['env_steps']:>9,} steps  {row['seconds']:7.0f} s  "
        f"success {rate(row['success'])} "
        f"(table {rate(row['success_table'])}, air {rate(row['success_air'])})  "
        f"Q {row['q_mean']:7.2f}  {row['phase']}"
    )
    confirmation = row["confirmation"]
    return line + (f"  confirmed {confirmation['success']:.3f}" if confirmation else "")
