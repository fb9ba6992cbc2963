"""What a run leaves behind: agent, statistics, plot and checkpoint after every epoch."""

import sys
from collections.abc import Callable
from typing import Any

from grasp_func.runtime.comm import host_names, on_root
from grasp_func.runtime.consistency import versions
from grasp_func.storage.agent import to_files
from grasp_func.storage.agent_files import agent_bytes
from grasp_func.storage.atomic import write_folder
from grasp_func.storage.run_dir import RunPaths
from grasp_func.training import resume
from grasp_func.training.loop import EpochResult
from grasp_func.training.metrics import stats_json, stats_png, summary
from grasp_func.training.setup import Run


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
        "versions": versions(),
        "config": run.cfg.model_dump(mode="json"),
    }


def make_recorder(
    run: Run, facts: dict[str, Any], paths: RunPaths | None, start: resume.ResumePoint
) -> Callable[[EpochResult], None]:
    """Returns a function that records a report; every process must call it.

    The first process prints a line and, if `paths` is given, replaces the latest files; the backup
    gets its networks with the last report. All of them write the checkpoint.

    Args:
        run: what is recorded.
        facts: of `describe`.
        paths: where to; None: nowhere.
        start: where the run began or goes on; its statistics are continued.

    Raises (the returned function):
        SaveError: on all processes, if one cannot write; what was there before is unchanged.
    """
    rows = list(start.rows)
    start = start._replace(rows=rows)
    seconds_before = rows[-1]["seconds"] if rows else 0.0

    def record(report: EpochResult) -> None:
        rows.append(row_of(run, report, seconds_before))
        if run.workers.is_root:
            print(progress_line(rows[-1], run.cfg.epochs), flush=True)
        if paths is not None:
            on_root(run.workers.comm, lambda: write(report, paths))
            resume.save(run, paths.checkpoints, facts["env"], report, start)

    def write(report: EpochResult, paths: RunPaths) -> None:
        last = report.is_last(run.cfg)
        stats = {
            **facts,
            "history": start.history,
            "finished": last,
            "params_hash": report.params_hash,
            "epochs": rows,
        }
        told = {"stats.json": stats_json(stats), "stats.png": stats_png(rows)}
        agent = agent_bytes(to_files(run.learner, report.state))
        write_folder(paths.backup, {**agent, **told} if last else told)
        write_folder(paths.latest, {**agent, **told})

    return record


def row_of(run: Run, report: EpochResult, seconds_before: float) -> dict[str, Any]:
    """Returns an epoch's entry of stats.json; its seconds are those of all sittings."""
    cfg, result, epoch = run.cfg, report.eval_result, report.schedule.epoch
    confirmation = report.confirmation
    return {
        "epoch": epoch,
        "env_steps": epoch * cfg.cycles * cfg.rollouts * run.workers.total * run.env_spec.horizon,
        "updates": int(report.state.step),
        "seconds": round(seconds_before + report.seconds, 1),
        **summary(result),
        "eval_seed": report.eval_seed,
        "confirmation": confirmation and {**summary(confirmation), "seed": report.confirm_seed},
        **report.metrics,
        "phase": report.schedule.phase,
        "angle_tolerance": report.angle_tolerance,
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
    if row["angle_tolerance"] is not None:
        line += f"  within {row['angle_tolerance']:.3f} rad"
    confirmation = row["confirmation"]
    return line + (f"  confirmed {confirmation['success']:.3f}" if confirmation else "")
