"""Folders of a run, and what its statistics say of the environment."""

import json
import os
from datetime import datetime
from pathlib import Path

import pytest

from grasp_func.errors import SaveError
from grasp_func.shipped import PRETRAINED
from grasp_func.storage.run_dir import (
    best_or_latest,
    open_run,
    pretrain_directory,
    recorded_kwargs,
    reopen_run,
)

NOW = datetime(2026, 1, 2, 3, 4)


def test_recorded_kwargs_are_overrides_of_the_same_environment(tmp_path):
    content = {"env": "A-v0", "config": {"kwargs": {"air_goal_share": 1.0, "objects": ["Cube"]}}}
    (tmp_path / "stats.json").write_text(json.dumps(content))
    expected = ["kwargs.air_goal_share=1.0", 'kwargs.objects=["Cube"]']
    assert recorded_kwargs(tmp_path, "A-v0") == expected
    assert recorded_kwargs(tmp_path, "B-v0") == []
    assert recorded_kwargs(tmp_path / "none", "A-v0") == []
    content["config"]["kwargs"] = {"air_goal_share": 0.5}
    (tmp_path / "best.json").write_text(json.dumps(content))
    assert recorded_kwargs(tmp_path, "A-v0") == ["kwargs.air_goal_share=0.5"]


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["actor.pt", "agent.json"])
def test_the_best_agent_comes_before_the_latest(tmp_path, name, kind):
    assert best_or_latest(kind(tmp_path)) == tmp_path
    best = tmp_path / "best"
    best.mkdir()
    # what a run leaves that was killed before its first best agent was written
    (best / ".lock").touch()
    assert best_or_latest(kind(tmp_path)) == tmp_path
    (best / name).touch()
    assert best_or_latest(kind(tmp_path)) == best


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{", '{"env": "A-v0"}', '{"env": "A-v0", "config": []}', "[" * 100_000),
        *("\xff", "NaN", '{"env": "A-v0", "config": {"kwargs": [1]}}', f'{{"{chr(27)}": 1}}'),
    ],
)
def test_unreadable_statistics_are_named(tmp_path, text):
    (tmp_path / "stats.json").write_text(text)
    with pytest.raises(SaveError, match=r"stats\.json: not the statistics"):
        recorded_kwargs(tmp_path, "A-v0")


def test_huge_statistics_are_not_read(tmp_path):
    with (tmp_path / "stats.json").open("wb") as file:
        file.truncate(10 * 2**30)  # sparse
    with pytest.raises(SaveError, match="larger than"):
        recorded_kwargs(tmp_path, "A-v0")


@pytest.mark.parametrize("kind", [str, Path])
def test_runs_of_one_minute_get_different_folders(tmp_path, kind):
    runs = [open_run(kind(tmp_path), "Env-v0", NOW) for _ in range(3)]
    assert {run.latest for run in runs} == {tmp_path / "Env-v0"}
    names = [run.backup.relative_to(tmp_path / "Env-v0" / "backup").name for run in runs]
    assert names == ["2026_01_02_03_04", "2026_01_02_03_04_2", "2026_01_02_03_04_3"]
    assert all(run.backup.is_dir() for run in runs)


def test_pretrained_agent_of_the_environment_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SaveError, match=r"Env-v0 or .*OtherHand: no such folder"):
        pretrain_directory(tmp_path, "Env-v0", "OtherHand")
    assert pretrain_directory(tmp_path, "Env-v0", "ShadowHand") == PRETRAINED / "ShadowHand"
    hand, env = (tmp_path / "pretrain" / name for name in ("ShadowHand", "Env-v0"))
    hand.mkdir(parents=True)
    assert pretrain_directory(tmp_path, "Env-v0", "ShadowHand") == hand
    env.mkdir()
    assert pretrain_directory(tmp_path, "Env-v0", "ShadowHand") == env
    (env / "best").mkdir()
    (env / "best" / "actor.pt").touch()
    assert pretrain_directory(tmp_path, "Env-v0", "ShadowHand") == env / "best"


def test_pretrained_agents_of_another_folder_come_before_those_of_saves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    agents = [Path(parent, "pretrain", "ShadowHand") for parent in ("saves", "mine")]
    for agent in agents:
        agent.mkdir(parents=True)
        assert pretrain_directory("mine", "Env-v0", "ShadowHand") == agent
    with pytest.raises(SaveError) as caught:
        pretrain_directory("mine", "Env-v0", "OtherHand")
    for parent in ("mine", "saves"):
        for name in ("Env-v0", "OtherHand"):
            assert str(caught.value).count(f"{parent}/pretrain/{name}") == 1


def test_folders_below_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="--save-dir DIR"):
        open_run(tmp_path / "file", "Env-v0", NOW)


@pytest.mark.parametrize("kind", [str, Path])
def test_a_run_is_continued_once_at_a_time(tmp_path, kind):
    first = open_run(tmp_path, "Env-v0", NOW)
    open_files = len(os.listdir("/proc/self/fd"))
    with pytest.raises(SaveError, match="03_04: this run is running; end it first"):
        reopen_run(kind(first.checkpoints / "1"))
    assert len(os.listdir("/proc/self/fd")) == open_files
    assert open_run(tmp_path, "Env-v0", NOW) != first
    first.release()
    assert reopen_run(kind(first.checkpoints / "1")).backup == first.backup
    stopped = tmp_path / "Env-v0" / "checkpoints" / "stopped" / "1"
    stopped.mkdir(parents=True)
    paths = reopen_run(kind(stopped))
    assert paths.checkpoints == stopped.parent and paths.resume_from == stopped
    assert paths.backup.is_dir()


@pytest.mark.parametrize("place", ["backup", "checkpoints", "checkpoints/run", "backup/run"])
def test_folders_that_are_links_are_refused(tmp_path, place):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "run" / "1").mkdir(parents=True)
    env = tmp_path / "saves" / "Env-v0"
    (env / place).parent.mkdir(parents=True)
    (env / place).symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    with pytest.raises(SaveError, match="is a symbolic link, expected a folder"):
        reopen_run(env / "checkpoints" / "run" / "1")
    assert sorted(elsewhere.rglob("*")) == before
