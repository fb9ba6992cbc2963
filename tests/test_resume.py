"""A run that was killed and resumed ends in the bits of one that was not."""

import shutil

import numpy as np
import pytest

from grasp_func import resume, segments
from grasp_func.atomic import SaveError
from grasp_func.checkpoint import CheckpointError
from grasp_func.config import ConfigError
from grasp_func.record import checkpoint_directory, make_recorder
from grasp_func.replay import ReplayBuffer
from grasp_func.saves import RunPaths
from grasp_func.train import train
from helpers import POINT_REACH, assert_same, make_run, run_twins, tiny_config

WORKERS = 2
SMALL_BUFFER = 70  # transitions: 7 episodes, so the ring wraps in the second epoch


def config(**changes):
    settings = {"workers": WORKERS, "seed": 3, "cycles": 2, "rollouts": 2, "confirm_episodes": 20}
    return tiny_config(
        **{**settings, "buffer_size": SMALL_BUFFER, "pregrasp_start": 0.5, **changes}
    )


def paths(directory):
    return RunPaths(directory, directory / "backup" / "now")


def play(directory, cfg, processes, resumed=False):
    """Trains to the end on fake processes; returns the last state, all workers' buffers, rows."""
    directory.mkdir(exist_ok=True)
    paths(directory).backup.mkdir(parents=True, exist_ok=True)
    checkpoints = checkpoint_directory(paths(directory))

    def process(comm):
        run = make_run(cfg, comm)
        start = resume.restore(run, checkpoints) if resumed else resume.fresh(run)
        rows = []
        record = make_recorder(run, {"env": POINT_REACH}, paths(directory), start.rows)
        for report in train(run, start.state, start.progress, start.buffers):
            record(report)
        if run.workers.is_root:
            rows = resume.read_facts(checkpoints)["rows"]
        return report.state, report.buffers, rows

    results = run_twins(processes, process)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    buffers = [buffer for _, hosted, _ in results for buffer in hosted]
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in results[0][2]]
    return results[0][0], buffers, rows


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """Returns the result of four epochs in one go."""
    return play(tmp_path_factory.mktemp("straight"), config(epochs=4), 1)


@pytest.mark.parametrize(("first", "second"), [(1, 1), (2, 2), (1, 2), (2, 1)])
def test_resumed_equals_uninterrupted(first, second, straight, tmp_path):
    play(tmp_path / "run", config(epochs=2), first)
    resumed = play(tmp_path / "run", config(epochs=4), second, resumed=True)
    assert len(straight[2]) == 4 and len(straight[1]) == WORKERS
    assert_same(resumed, straight)


def test_a_run_killed_while_writing_resumes_from_the_checkpoint_before(
    straight, tmp_path, monkeypatch
):
    real = resume.save_checkpoint

    def die_in_the_third(directory, epoch, *rest):
        if epoch == 3:
            raise RuntimeError("killed")
        real(directory, epoch, *rest)

    monkeypatch.setattr(resume, "save_checkpoint", die_in_the_third)
    with pytest.raises(RuntimeError, match="killed"):
        play(tmp_path / "run", config(epochs=4), 1)
    monkeypatch.undo()
    assert_same(play(tmp_path / "run", config(epochs=4), 1, resumed=True), straight)


@pytest.fixture
def checkpoints(tmp_path):
    """Returns the checkpoint folder of a run of two epochs."""
    play(tmp_path / "run", config(epochs=2), 1)
    return checkpoint_directory(paths(tmp_path / "run"))


def test_old_segments_are_deleted_but_none_that_is_needed(tmp_path):
    play(tmp_path / "run", config(epochs=5), 1)
    folder = checkpoint_directory(paths(tmp_path / "run"))
    # 4 episodes an epoch, 7 kept: checkpoints 4 and 5 need epochs 3, 4 and 4, 5
    expected = [f"epoch_{epoch:07d}.npy" for epoch in (3, 4, 5)]
    for worker in range(WORKERS):
        found = sorted(p.name for p in (folder / "replay" / f"worker_{worker:05d}").iterdir())
        assert found == expected


def test_resumed_config_is_the_runs_own(checkpoints):
    cfg = resume.resumed_config(checkpoints, POINT_REACH, ["epochs=9"])
    assert cfg == config(epochs=9)


@pytest.mark.parametrize(
    ("env_id", "overrides", "error", "words"),
    [
        ("FlatPJCube-v0", ["epochs=9"], SaveError, "a run of PointReach-v0, not of FlatPJCube-v0"),
        (POINT_REACH, ["gamma=0.5"], ConfigError, "gamma"),
        (POINT_REACH, ["workers=4"], ConfigError, "keeps workers = 2"),
        (POINT_REACH, ["gamm=0.5"], ConfigError, "did you mean gamma"),
        (POINT_REACH, [], ConfigError, "has finished; --set epochs=N"),
    ],
)
def test_a_run_is_not_resumed_as_another(checkpoints, env_id, overrides, error, words):
    with pytest.raises(error, match=words):
        resume.resumed_config(checkpoints, env_id, overrides)


def test_damage_is_found_before_anything_is_written(checkpoints, tmp_path):
    run = make_run(config(epochs=4))
    segment = checkpoints / "replay" / "worker_00001" / "epoch_0000002.npy"
    whole = segment.read_bytes()
    for data in (whole[:200], b"", whole[:-4]):
        segment.write_bytes(data)
        with pytest.raises(SaveError, match=r"epoch_0000002.npy: replay"):
            resume.restore(run, checkpoints)
    rows = np.load(checkpoints / "replay" / "worker_00000" / "epoch_0000002.npy")
    rows[0, 0] = np.nan
    np.save(segment, rows)
    with pytest.raises(SaveError, match="expected finite float32"):
        resume.restore(run, checkpoints)
    segment.unlink()
    with pytest.raises(SaveError, match=r"epoch_0000002.npy: replay cannot be read"):
        resume.restore(run, checkpoints)


def test_damaged_checkpoint_is_named(checkpoints):
    shutil.rmtree(checkpoints / "2" / "facts")
    with pytest.raises(CheckpointError, match="damaged"):
        resume.read_facts(checkpoints)
    with pytest.raises(CheckpointError, match="no checkpoint there"):
        resume.read_facts(checkpoints / "none")


def test_other_networks_are_refused(checkpoints):
    with pytest.raises(CheckpointError, match="this run needs"):
        resume.restore(make_run(config(actor_net_layer_width=9)), checkpoints)


def test_find_run_takes_the_newest_or_the_one_named(tmp_path):
    with pytest.raises(SaveError, match="no run to resume"):
        resume.find_run(tmp_path, "A-v0", "auto")
    for name in ("2026_01_01", "2026_01_02"):
        (tmp_path / "A-v0" / "checkpoints" / name).mkdir(parents=True)
    assert resume.find_run(tmp_path, "A-v0", "auto").name == "2026_01_02"
    assert resume.find_run(tmp_path, "A-v0", "x/y").as_posix() == "x/y"


@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("n_transitions", [10, 70, 1000])
def test_buffers_survive_the_disk(epochs, n_transitions, tmp_path):
    run = make_run(config())
    rng = np.random.default_rng(0)
    buffer = ReplayBuffer(run.layout, n_transitions)
    for epoch in range(1, epochs + 1):
        for _ in range(4):
            fields = [rng.normal(size=field.shape[1:]) for field in buffer.episodes]
            buffer.append(type(buffer.episodes)(*(f.astype(np.float32) for f in fields)))
        segments.write_segment(tmp_path, 0, epoch, buffer.newest(4))
    empty = ReplayBuffer(run.layout, n_transitions)
    assert_same(segments.read_buffer(tmp_path, 0, epochs, 4, empty, run.layout), buffer)
