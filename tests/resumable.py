"""Runs that end, are resumed and compared; checkpoints that are changed and sealed again."""

from grasp_func.storage import parts
from grasp_func.storage.checkpoint import checkpoints_of
from grasp_func.storage.run_dir import RunPaths
from grasp_func.storage.stats_log import read_rows
from grasp_func.training import resume
from grasp_func.training.loop import train
from grasp_func.training.recorder import Recorder
from helpers import POINT_REACH, make_run, run_twins, tiny_config

WORKERS = 2
SMALL_BUFFER = 70  # transitions: 7 episodes, so the ring wraps in the second epoch


def config(**changes):
    settings = {"workers": WORKERS, "seed": 3, "cycles": 2, "rollouts": 2, "confirm_episodes": 20}
    return tiny_config(
        **{**settings, "buffer_size": SMALL_BUFFER, "pregrasp_start": 0.5, **changes}
    )


def paths(directory):
    return RunPaths(directory, directory / "backup" / "now")


def play(directory, cfg, processes, resumed=False, with_replay=True):
    """Trains to the end on fake processes; returns the last state, all workers' buffers, rows.

    `resumed` is True for the newest checkpoint, or the name of one.
    An error is raised as it is only if all processes raise one.
    """
    directory.mkdir(exist_ok=True)
    paths(directory).backup.mkdir(parents=True, exist_ok=True)
    checkpoints = paths(directory).checkpoints
    checkpoints.mkdir(parents=True, exist_ok=True)

    def process(comm):
        run = make_run(cfg, comm)
        start = resume.fresh(run)
        if resumed:
            newest = checkpoints_of(checkpoints)[-1].name
            name = newest if resumed is True else resumed
            start = resume.restore(run, checkpoints / name, with_replay)
        rows = []
        record_epoch = Recorder(run, {"env": POINT_REACH}, paths(directory), start)
        for report in train(run, start.state, start.progress, start.buffers):
            record_epoch(report)
        if run.workers.is_root:
            rows = read_rows(checkpoints / "stats.jsonl", 2**20)
        return report.state, report.buffers, rows

    results = run_twins(processes, process)
    errors = [result for result in results if isinstance(result, BaseException)]
    if errors:
        raise ExceptionGroup("processes", errors) if len(errors) < processes else errors[0]
    buffers = [buffer for _, local_workers, _ in results for buffer in local_workers]
    rows = [{k: v for k, v in row.items() if not k.startswith("seconds")} for row in results[0][2]]
    return results[0][0], buffers, rows


def seal(checkpoint):
    """Makes a checkpoint's manifest fit its parts, as another program might."""
    path = checkpoint / "manifest.json"
    names = parts.parse_manifest(path.read_bytes())
    sizes = {name: part.size if name == "stats.jsonl" else None for name, part in names.items()}
    found = {
        name: parts.part_of_file(checkpoint.parent / name, size)
        for name, size in sizes.items()
        if (checkpoint.parent / name).is_file()
    }
    path.write_bytes(parts.manifest_bytes(found))
