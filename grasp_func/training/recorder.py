"""Records a run after every epoch: agent, statistics, plot and checkpoint."""

import json
import sys
from pathlib import Path
from typing import Any

from grasp_func.runtime.comm import host_names, on_each, on_root
from grasp_func.runtime.consistency import versions
from grasp_func.storage import replay_shards, stats_log
from grasp_func.storage.agent import to_files
from grasp_func.storage.agent_files import agent_bytes
from grasp_func.storage.atomic import StrPath, folder_inside, write_folder
from grasp_func.storage.checkpoint import KEPT, rewind, save_checkpoint
from grasp_func.storage.generation import write_generation
from grasp_func.storage.parts import Part
from grasp_func.storage.run_dir import BEST, BEST_FACTS, RunPaths
from grasp_func.storage.stats_log import Row, StatsLog
from grasp_func.training import resume
from grasp_func.training.loop import EpochResult
from grasp_func.training.metrics import row_of, stats_json, summary
from grasp_func.training.plots import stats_png
from grasp_func.training.setup import Run

GROWTH = 100  # stats.json is rewritten once its rows have grown by 1 / GROWTH


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


class Recorder:
    """Records the results of a run's epochs; every process must have one.

    If `paths` is given, the first process replaces the latest files, and `best/` where the agent
    is the best so far; all processes write the checkpoint. The backup gets its agent with the last
    result. stats.json and stats.png are rewritten when their rows have grown by 1%, which is every
    epoch up to 100, and with the last one: rewriting them every epoch would cost time and writes
    that grow with the square of the epochs.
    """

    def __init__(
        self, run: Run, facts: dict[str, Any], paths: RunPaths | None, start: resume.ResumePoint
    ) -> None:
        """Writes nothing yet.

        Args:
            run: to record.
            facts: of `describe`.
            paths: folders to write to; None: nothing is written.
            start: where the run begins or is resumed; its statistics are continued.
        """
        self._run, self._facts, self._paths, self._start = run, facts, paths, start
        self._rows = list(start.rows)
        self._n_written = 0
        self._latest: EpochResult | None = None
        self._checkpoints: CheckpointWriter | None = None

    def __call__(self, result: EpochResult) -> None:
        """Records an epoch; every process must call it.

        Raises:
            SaveError: on all processes, if one cannot write; what was there before is unchanged.
        """
        run, paths = self._run, self._paths
        row = row_of(run.cfg, result)
        self._rows.append(row)
        self._latest = result
        if paths is not None:
            if self._checkpoints is None:
                env_id = self._facts["env"]
                self._checkpoints = CheckpointWriter(run, paths.checkpoints, env_id, self._start)
            on_root(run.workers.comm, lambda: self._write(result, paths))
            self._checkpoints.save(result, row)

    def stop(self) -> None:
        """Completes the statistics of a run that stops early; every process must call it.

        Raises:
            SaveError: on all processes; they cannot be written.
        """
        result, paths = self._latest, self._paths
        if result is None or paths is None:
            return

        def write() -> None:
            if self._n_written < len(self._rows):
                statistics = self._statistics(result)
                write_folder(paths.backup, statistics)
                write_folder(paths.latest, statistics)

        on_root(self._run.workers.comm, write)

    def _write(self, result: EpochResult, paths: RunPaths) -> None:
        """Replaces the latest files, the best agent and the backup's files."""
        last = result.is_last(self._run.cfg)
        due = last or (len(self._rows) - self._n_written) * GROWTH >= self._n_written
        statistics = self._statistics(result) if due else {}
        agent = agent_bytes(to_files(self._run.learner, result.state))
        if last:
            write_generation(paths.backup, agent, statistics)
        elif due:
            write_folder(paths.backup, statistics)
        write_generation(paths.latest, agent, statistics)
        if result.best is not None:
            best = {**agent, BEST_FACTS: best_json(self._run, result, paths.backup.name)}
            for folder in (paths.backup, paths.latest):
                write_generation(folder_inside(folder, BEST), best)

    def _statistics(self, result: EpochResult) -> dict[str, bytes]:
        """Returns the contents of stats.json and stats.png."""
        run, self._n_written = self._run, len(self._rows)
        facts = {
            **self._facts,
            "history": self._start.history,
            "finished": result.is_last(run.cfg),
            "params_hash": result.params_hash,
        }
        title = f"{run.env.name}, seed {run.key.seed}, {run.workers.total} worker(s)"
        return {
            "stats.json": stats_json(facts, self._rows),
            "stats.png": stats_png(title, self._rows),
        }


class CheckpointWriter:
    """Writes the checkpoints of a run; every process must have one."""

    def __init__(
        self, run: Run, directory: StrPath, env_id: str, start: resume.ResumePoint
    ) -> None:
        """Removes the checkpoints and statistics after `start`, from where the run is resumed.

        Raises:
            SaveError: the statistics cannot be read.
        """
        self._run, self._directory, self._env_id = run, Path(directory), env_id
        self._history = start.history
        self._shards = {k: part for k, part in start.outside.items() if k != stats_log.NAME}
        known = start.outside.get(stats_log.NAME)
        log = self._directory / stats_log.NAME

        def prepare() -> None:
            rewind(self._directory, start.progress.epoch)
            self._log = StatsLog(log, known.size if known else 0)

        on_root(run.workers.comm, prepare)

    def save(self, result: EpochResult, row: Row) -> None:
        """Writes a checkpoint; it is complete once the first process is done.

        Epoch 0 gets none: the run begins with it.

        Raises:
            SaveError: a file cannot be written on any process; the checkpoint before is unchanged.
        """
        run, epoch = self._run, result.schedule.epoch
        if epoch == 0:
            on_root(run.workers.comm, lambda: self._log.append(row))
            return
        per_epoch = resume.episodes_per_epoch(run)
        local_workers = list(zip(run.workers.local_workers, result.buffers, strict=True))

        def write_shards() -> list[tuple[str, Part]]:
            written = []
            for worker, buffer in local_workers:
                part = replay_shards.write_shard(
                    self._directory, worker, epoch, buffer.newest(per_epoch)
                )
                written.append((replay_shards.shard_name(worker, epoch), part))
            return written

        written = run.workers.gather(on_each(run.workers.comm, write_shards))
        held = len(result.buffers[0])
        needed = resume.needed_shards(run, range(run.workers.total), epoch, held)
        known = {**self._shards, **dict(written)}
        self._shards = {name: known[name] for name in needed}
        on_root(run.workers.comm, lambda: self._write_rest(result, row))
        for worker, buffer in local_workers:
            oldest_kept = max(1, epoch - KEPT + 1)
            first = replay_shards.first_needed(oldest_kept, per_epoch, buffer.capacity)
            replay_shards.prune(self._directory, worker, first)

    def _write_rest(self, result: EpochResult, row: Row) -> None:
        """Writes all parts but the replay shards."""
        run = self._run
        facts = resume.Facts(
            format=resume.FORMAT,
            env=self._env_id,
            seed=run.key.seed,
            workers=run.workers.total,
            config=run.cfg.model_dump(mode="json"),
            progress=result.schedule._asdict(),
            episodes=result.buffers[0].n_seen,
            history=self._history,
            finished=result.is_last(run.cfg),
        )
        self._log.append(row)
        outside = {**self._shards, stats_log.NAME: self._log.part}
        epoch = result.schedule.epoch
        save_checkpoint(self._directory, epoch, result.state, facts.model_dump(), outside)


def best_json(run: Run, result: EpochResult, run_name: str) -> bytes:
    """Returns the content of best.json: which agent is the best, and how it was selected."""
    assert result.best is not None
    content = {
        "env": run.env.name,
        "seed": run.key.seed,
        "run": run_name,
        "epoch": result.schedule.epoch,
        "params_hash": result.params_hash,
        "evaluation": {**summary(result.eval_result), "seed": result.eval_seed},
        "confirmation": {**summary(result.best), "seed": result.best_seed},
        "config": run.cfg.model_dump(mode="json"),
    }
    return (json.dumps(content, indent=1, allow_nan=False) + "\n").encode()
