"""A run that was killed and resumed ends in the bits of one that was not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from grasp_func.core.replay import ReplayBuffer
from grasp_func.errors import ConfigError, SaveError
from grasp_func.storage import parts, replay_shards
from grasp_func.storage.agent_files import FILES
from grasp_func.storage.checkpoint import checkpoints_of
from grasp_func.storage.stats_log import StatsLog
from grasp_func.training import recorder, resume
from helpers import POINT_REACH, assert_same, make_run, run_twins
from resumable import WORKERS, config, paths, play, seal


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


@pytest.mark.parametrize("processes", [1, 2])
def test_an_eased_angle_tolerance_goes_on(processes, tmp_path):
    """The resumed run has to know how often it was divided."""
    curriculum_active = {"kwargs": {"angle_tolerance": 0.05}, "angle_tolerance_factor": 2.0}
    straight = play(tmp_path / "straight", config(epochs=4, **curriculum_active), 1)
    play(tmp_path / "run", config(epochs=2, **curriculum_active), 2)
    resumed = play(tmp_path / "run", config(epochs=4, **curriculum_active), processes, resumed=True)
    assert_same(resumed, straight)
    course = [row["angle_tolerance"] for row in straight[2]]
    assert course[0] == np.pi and course[2] < course[1] < course[0]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_pretrained_run_goes_on_after_its_first_evaluation(processes, tmp_path):
    straight = play(tmp_path / "straight", config(epochs=4, load_pretrained=True), 1)
    play(tmp_path / "run", config(epochs=2, load_pretrained=True), 2)
    resumed = play(
        tmp_path / "run", config(epochs=4, load_pretrained=True), processes, resumed=True
    )
    assert_same(resumed, straight)
    assert [row["epoch"] for row in straight[2]] == [0, 1, 2, 3, 4]


def test_a_pretrained_run_that_ends_at_once_leaves_its_agent(tmp_path):
    cfg = config(load_pretrained=True, early_stop=0.0)
    _, _, rows = play(tmp_path, cfg, 2)
    assert [(row["epoch"], row["env_steps"], row["actor_loss"]) for row in rows] == [(0, 0, None)]
    for folder in (tmp_path, paths(tmp_path).backup):
        assert all((folder / name).exists() for name in (*FILES, "stats.json", "stats.png"))
    assert not checkpoints_of(paths(tmp_path).checkpoints)


def best_of(folder):
    """Returns the agents' files and the facts in the latest `best/` and in the backup's."""
    homes = [home / "best" for home in (folder, paths(folder).backup)]
    facts = [json.loads((home / "best.json").read_text()) for home in homes]
    files = [[(home / name).read_bytes() for name in FILES] for home in homes]
    # The configurations differ in the number of epochs.
    return files, [{**found, "config": None} for found in facts]


@pytest.mark.parametrize("processes", [1, 2])
def test_a_resumed_run_knows_its_best_agent(processes, eager, tmp_path):
    """The best agent of the first two epochs must not be replaced by a worse one."""
    easy = {"kwargs": {"angle_tolerance": 0.4}, "angle_tolerance_start": 0.4, "evals": 10}
    straight = play(tmp_path / "straight", config(epochs=8, **easy), 1)
    found = [row["best"] and row["best"]["success"] for row in straight[2]]
    assert any(found[:2]) and any(found[2:]) and None in found[2:]
    play(tmp_path / "run", config(epochs=2, **easy), 2)
    resumed = play(tmp_path / "run", config(epochs=8, **easy), processes, resumed=True)
    assert_same(resumed, straight)
    assert best_of(tmp_path / "run") == best_of(tmp_path / "straight")


def test_a_run_killed_while_writing_resumes_from_the_checkpoint_before(
    straight, tmp_path, monkeypatch
):
    real = recorder.save_checkpoint

    def die_in_the_third(directory, epoch, *rest):
        if epoch == 3:
            raise RuntimeError("killed")
        real(directory, epoch, *rest)

    monkeypatch.setattr(recorder, "save_checkpoint", die_in_the_third)
    with pytest.raises(RuntimeError, match="killed"):
        play(tmp_path / "run", config(epochs=4), 1)
    monkeypatch.undo()
    assert_same(play(tmp_path / "run", config(epochs=4), 1, resumed=True), straight)


def test_old_segments_are_deleted_but_none_that_is_needed(tmp_path):
    play(tmp_path / "run", config(epochs=5), 1)
    folder = paths(tmp_path / "run").checkpoints
    # 4 episodes an epoch, 7 kept: checkpoints 4 and 5 need epochs 3, 4 and 4, 5
    expected = [f"epoch_{epoch:07d}.npy" for epoch in (3, 4, 5)]
    for worker in range(WORKERS):
        found = sorted(p.name for p in (folder / "replay" / f"worker_{worker:05d}").glob("*"))
        assert found == [".lock", *expected]


def test_resumed_config_is_the_runs_own(checkpoints):
    cfg = resume.resumed_config(checkpoints / "2", POINT_REACH, ["epochs=9"])
    assert cfg == config(epochs=9)


@pytest.mark.parametrize(
    ("env_id", "overrides", "error", "words"),
    [
        ("FlatPJCube-v0", ["epochs=9"], SaveError, "a run of PointReach-v0, not of FlatPJCube-v0"),
        (POINT_REACH, ["gamma=0.5"], ConfigError, "gamma"),
        (POINT_REACH, ["workers=4"], ConfigError, "keeps workers = 2"),
        (POINT_REACH, ["gamm=0.5"], ConfigError, "did you mean gamma"),
        (POINT_REACH, [], ConfigError, "has finished 2 epochs; --set epochs=N"),
        (POINT_REACH, ["epochs=1"], ConfigError, "has finished 2 epochs; --set epochs=N"),
        (POINT_REACH, ["epochs=2", "early_stop=0.5"], ConfigError, "has finished 2 epochs"),
    ],
)
def test_a_run_is_not_resumed_as_another(checkpoints, env_id, overrides, error, words):
    with pytest.raises(error, match=words):
        resume.resumed_config(checkpoints / "2", env_id, overrides)


def rewrite_facts(checkpoints, change):
    """Changes the facts of the newest checkpoint as another program might."""
    path = checkpoints / "2" / "facts.json"
    facts = json.loads(path.read_text())
    change(facts)
    path.write_text(json.dumps(facts))
    seal(checkpoints / "2")


def rewrite_rows(checkpoints, rows):
    (checkpoints / "stats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    log = StatsLog(checkpoints / "stats.jsonl", (checkpoints / "stats.jsonl").stat().st_size)
    manifest = checkpoints / "2" / "manifest.json"
    listed = {**parts.parse_manifest(manifest.read_bytes()), "stats.jsonl": log.part}
    manifest.write_bytes(parts.manifest_bytes(listed))


FACTS = {
    "the format before": (
        lambda facts: facts.update(format=2),
        "format 2, this version reads format 6",
    ),
    "no format": (lambda facts: facts.pop("format"), "format None, this version reads format 6"),
    "no history": (lambda facts: facts.pop("history"), "damaged, history: Field required"),
    "text for a number": (lambda facts: facts.update(workers="2"), "damaged, workers: Input"),
    "unknown": (lambda facts: facts.update(code="import os"), "damaged, code: Extra inputs"),
    "other epoch": (lambda facts: facts["progress"].update(epoch=1), "not that of 2 epochs"),
    "new progress": (lambda facts: facts["progress"].update(mood=1), "its progress is .*mood"),
    "old progress": (lambda facts: facts["progress"].pop("late_hits"), "this version .* reads"),
    "progress of another type": (
        lambda facts: facts["progress"].update(late_hits="1"),
        "this version .* reads",
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts_of_another_version_or_damaged_ones_are_refused(checkpoints, name):
    change, words = FACTS[name]
    rewrite_facts(checkpoints, change)
    with pytest.raises(SaveError, match=words):
        resume.resumed_config(checkpoints / "2", POINT_REACH, ["epochs=9"])
    with pytest.raises(SaveError, match=words):
        resume.restore(make_run(config()), checkpoints / "2")


ROWS = {
    "lost": [{"epoch": 1}],
    "one too many": [{"epoch": 1}, {"epoch": 2}, {"epoch": 3}],
    "no rows": [1, 2],
    "of other epochs": [{"epoch": 2}, {"epoch": 1}],
    "without epochs": [{}, {}],
}


@pytest.mark.parametrize("name", ROWS)
def test_statistics_of_other_epochs_are_refused(checkpoints, name):
    rewrite_rows(checkpoints, ROWS[name])
    with pytest.raises(SaveError, match=r"damaged, its (statistics|lines) are not"):
        resume.restore(make_run(config()), checkpoints / "2")


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b"\xff", b"nope"])
def test_facts_that_are_no_json_are_refused(checkpoints, text):
    (checkpoints / "2" / "facts.json").write_bytes(text)
    seal(checkpoints / "2")
    with pytest.raises(SaveError):
        resume.resumed_config(checkpoints / "2", POINT_REACH, ["epochs=9"])


def test_a_damaged_segment_of_one_process_is_an_error_on_all(checkpoints):
    (checkpoints / "replay" / "worker_00001" / "epoch_0000002.npy").write_bytes(b"")

    def process(comm):
        resume.restore(make_run(config(), comm), checkpoints / "2")

    errors = run_twins(2, process)
    assert all(isinstance(error, SaveError) for error in errors)
    assert all("worker_00001" in str(error) for error in errors)


def test_without_replay_only_the_buffers_are_lost(checkpoints):
    run = make_run(config(epochs=4))
    shutil.rmtree(checkpoints / "replay")
    with pytest.raises(SaveError, match="resume --without-replay"):
        resume.restore(run, checkpoints / "2")
    start = resume.restore(run, checkpoints / "2", with_replay=False)
    assert [len(buffer) for buffer in start.buffers] == [0, 0]
    assert "2 worker(s) with 0 episodes of replay each" in start.history[-1]


def test_a_run_without_its_old_replay_can_be_resumed_exactly(tmp_path):
    """Its buffer of 7 began empty after epoch 2: 4 episodes after epoch 3, full after epoch 4."""
    for name in ("straight", "cut"):
        play(tmp_path / name, config(epochs=2), 1)
        shutil.rmtree(paths(tmp_path / name).checkpoints / "replay")
    straight = play(tmp_path / "straight", config(epochs=5), 1, True, with_replay=False)
    play(tmp_path / "cut", config(epochs=3), 1, True, with_replay=False)
    assert_same(play(tmp_path / "cut", config(epochs=5), 2, resumed=True), straight)


@pytest.mark.parametrize("part", ["save_checkpoint", "write_shard", "agent_bytes"])
def test_an_error_of_one_process_while_saving_ends_all_of_them(part, straight, tmp_path):
    """The second of two processes, or the first, finds the disk full in the third epoch."""
    home = {"save_checkpoint": recorder, "write_shard": replay_shards, "agent_bytes": recorder}[
        part
    ]
    real, calls = getattr(home, part), []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) == (6 if part == "write_shard" else 3):
            raise SaveError("disk: no space left")
        return real(*arguments)

    folder = tmp_path / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(home, part, full)
        with pytest.raises(SaveError, match="no space left"):
            play(folder, config(epochs=4), 2)
    assert_same(play(folder, config(epochs=4), 1, resumed=True), straight)


def test_other_networks_are_refused(checkpoints):
    with pytest.raises(SaveError, match="this run needs"):
        resume.restore(make_run(config(actor_net_layer_width=9)), checkpoints / "2")


@pytest.mark.parametrize("kind", [str, Path])
def test_find_run_takes_the_newest_or_the_one_named(tmp_path, kind):
    with pytest.raises(SaveError, match="no run to resume"):
        resume.find_run(kind(tmp_path), "A-v0", "auto")
    runs = tmp_path / "A-v0" / "checkpoints"
    for name in ("2026_01_01/3", "2026_01_02/9", "2026_01_02/10"):
        (runs / name).mkdir(parents=True)
    for choice, found in {
        "auto": "2026_01_02/10",
        kind(runs / "2026_01_01"): "2026_01_01/3",
        kind(runs / "2026_01_02" / "9"): "2026_01_02/9",
    }.items():
        assert resume.find_run(kind(tmp_path), "A-v0", choice) == runs / found
    (runs / "2026_01_03").mkdir()
    with pytest.raises(SaveError, match="2026_01_03: no checkpoint there; begin again without"):
        resume.find_run(tmp_path, "A-v0", "auto")
    for path in ("x/y", "A-v0", ".", "/"):
        with pytest.raises(SaveError, match=r"not a run, expected .*/A-v0/checkpoints/<run> or"):
            resume.find_run(tmp_path, "A-v0", path)


@pytest.mark.parametrize("epochs", [1, 2, 5])
@pytest.mark.parametrize("n_transitions", [10, 70, 1000])
def test_buffers_survive_the_disk(epochs, n_transitions, tmp_path):
    run = make_run(config())
    rng = np.random.default_rng(0)
    buffer = ReplayBuffer(run.env_spec, n_transitions)
    for epoch in range(1, epochs + 1):
        for _ in range(4):
            fields = [rng.normal(size=field.shape[1:]) for field in buffer.episodes]
            buffer.append(type(buffer.episodes)(*(f.astype(np.float32) for f in fields)))
        replay_shards.write_shard(tmp_path, 0, epoch, buffer.newest(4))
    empty = ReplayBuffer(run.env_spec, n_transitions)
    assert_same(replay_shards.read_buffer(tmp_path, 0, epochs, 4, 4 * epochs, empty), buffer)
