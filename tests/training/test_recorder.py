"""What a run writes of its statistics, and how much."""

import json
from itertools import pairwise

import pytest

from grasp_func.cli.status import progress_line
from grasp_func.errors import SaveError
from grasp_func.storage.agent_files import read_agent
from grasp_func.storage.checkpoint import checkpoints_of
from grasp_func.storage.stats_log import StatsLog, read_rows
from grasp_func.training import recorder, resume
from grasp_func.training.loop import train
from grasp_func.training.setup import initial_state
from helpers import POINT_REACH, make_run, run_twins, scored
from resumable import config, paths
from small_agents import assert_same as assert_same_agent

PNG_BYTES = 60_000
EPOCHS = 2500


@pytest.fixture
def written(monkeypatch):
    """Returns (folder, name, content) of all that a recorder writes but agents and checkpoints."""
    found = []

    def write(directory, contents, others=None):
        others = contents if others is None else others
        found.extend((directory, name, data) for name, data in others.items())

    monkeypatch.setattr(recorder, "write_folder", write)
    monkeypatch.setattr(recorder, "write_generation", write)
    monkeypatch.setattr(recorder, "stats_png", lambda *_: bytes(PNG_BYTES))
    return found


@pytest.fixture
def reports(eager):
    """Returns a run and a function that makes the report of any epoch."""
    run = make_run(config(epochs=EPOCHS, workers=1))
    report = next(train(run, initial_state(run)))._replace(best=None)
    return run, lambda n: report._replace(schedule=report.schedule._replace(epoch=n))


def test_thousands_of_epochs_write_little(tmp_path, written, reports, monkeypatch, capsys):
    run, report_of = reports
    monkeypatch.setattr(
        recorder.CheckpointWriter, "save", lambda self, report, row: self._log.append(row)
    )
    monkeypatch.setattr("os.fsync", lambda _: None)
    place = paths(tmp_path)
    record = recorder.Recorder(run, {"env": POINT_REACH}, place, resume.fresh(run))
    place.checkpoints.mkdir(parents=True)
    for number in range(1, EPOCHS + 1):
        record(report_of(number))
    log = place.checkpoints / "stats.jsonl"
    rows = read_rows(log, log.stat().st_size)
    assert [row["epoch"] for row in rows] == list(range(1, EPOCHS + 1))
    sizes = [len(data) for _, name, data in written if name == "stats.json"]
    total = sum(len(data) for _, _, data in written) + log.stat().st_size
    every_epoch = 3 * log.stat().st_size * EPOCHS / 2
    assert total < 0.1 * every_epoch
    assert total < 1e9 and len(sizes) < 1000
    counts = [len(json.loads(data)["epochs"]) for _, name, data in written[::4]]
    assert counts[:100] == list(range(1, 101)) and counts[-1] == EPOCHS
    assert all(after - before <= max(1, 0.01 * before + 1) for before, after in pairwise(counts))
    with capsys.disabled():
        print(f"{EPOCHS} epochs: {total / 1e6:.0f} MB of statistics in {len(sizes)} stats.json")


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_that_stops_completes_its_statistics(tmp_path, eager, processes):
    def process(comm):
        run = make_run(config(epochs=EPOCHS), comm)
        start = resume.fresh(run)
        record = recorder.Recorder(run, {"env": POINT_REACH}, paths(tmp_path), start)
        record.stop()
        for number, report in enumerate(train(run, start.state), 1):
            record._n_written = 1000 if number == 2 else record._n_written
            record(report)
            record._n_written = 1 if number == 2 else record._n_written
            if number == 2:
                break
        before = (tmp_path / "stats.json").read_text()
        record.stop()
        return before

    results = run_twins(processes, process)
    before = json.loads(results[0])
    assert len(before["epochs"]) == 1
    for folder in (tmp_path, paths(tmp_path).backup):
        stats = json.loads((folder / "stats.json").read_text())
        assert [row["epoch"] for row in stats["epochs"]] == [1, 2] and not stats["finished"]


def test_the_best_agent_stays_beside_the_latest(tmp_path, eager):
    run, place = make_run(config(epochs=4, workers=1)), paths(tmp_path)
    start = resume.fresh(run)
    record = recorder.Recorder(run, {"env": POINT_REACH}, place, start)
    success = scored(3, 4)
    expected = None
    for epoch, result in enumerate(train(run, start.state), 1):
        best = success if epoch == 2 else None
        record(result._replace(best=best, best_seed=7))
        for folder in (tmp_path, place.backup):
            assert (folder / "best").exists() == (epoch >= 2)
        if epoch == 2:
            expected = read_agent(tmp_path)
    for folder in (tmp_path, place.backup):
        assert_same_agent(read_agent(folder / "best"), expected)
        assert read_agent(folder).obs_moments.count > expected.obs_moments.count
        facts = json.loads((folder / "best" / "best.json").read_text())
        assert (facts["env"], facts["seed"], facts["epoch"]) == (POINT_REACH, 3, 2)
        assert facts["run"] == "now" and facts["config"]["cycles"] == 2
        confirmation, rows = facts["confirmation"], record._rows
        assert (confirmation["success"], confirmation["n"], confirmation["seed"]) == (0.75, 4, 7)
        assert 0 < confirmation["success_low"] < 0.75 < confirmation["success_high"] < 1
        assert facts["evaluation"]["seed"] == rows[1]["eval_seed"]
        assert facts["params_hash"] == rows[1]["params_hash"]
        assert [row["best"] for row in rows] == [None, confirmation, None, None]
    assert "best so far 0.750" in progress_line(record._rows[1], 4)


def test_a_link_in_place_of_the_best_agent_is_refused(tmp_path, eager):
    run, elsewhere = make_run(config(epochs=1, workers=1)), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "best").symlink_to(elsewhere)
    start = resume.fresh(run)
    record = recorder.Recorder(run, {"env": POINT_REACH}, paths(tmp_path), start)
    result = next(train(run, start.state))
    with pytest.raises(SaveError, match="symbolic link"):
        record(result._replace(best=result.eval_result))
    assert not list(elsewhere.iterdir())


def without_times(line):
    return {k: v for k, v in json.loads(line).items() if not k.startswith("seconds")}


def test_statistics_are_cut_to_the_checkpoint_that_is_resumed(tmp_path, eager):
    run = make_run(config(epochs=4, workers=1))
    place = paths(tmp_path)
    start = resume.fresh(run)
    record = recorder.Recorder(run, {"env": POINT_REACH}, place, start)
    for report in train(run, start.state):
        record(report)
    log = place.checkpoints / "stats.jsonl"
    whole = log.read_bytes()
    with log.open("ab") as file:
        file.write(b'{"epoch": 5, "succ')
    again = make_run(config(epochs=6, workers=1))
    start = resume.restore(again, place.checkpoints / "3")
    assert len(start.rows) == 3
    record = recorder.Recorder(again, {"env": POINT_REACH}, place, start)
    assert [path.name for path in checkpoints_of(place.checkpoints)] == ["3", "4"]
    record(next(train(again, start.state, start.progress, start.buffers)))
    assert [path.name for path in checkpoints_of(place.checkpoints)] == ["3", "4"]
    found = [without_times(line) for line in log.read_text().splitlines()]
    assert found == [without_times(line) for line in whole.splitlines()]
    assert StatsLog(log, log.stat().st_size).part.size == log.stat().st_size
