"""Every function that takes a path takes text as well."""

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from grasp_func.core.replay import ReplayBuffer
from grasp_func.core.types import Episode
from grasp_func.storage import agent, agent_files, atomic, dextgen, parts, replay_shards, run_dir
from grasp_func.training import resume
from helpers import POINT_REACH, assert_same, make_run, tiny_config
from resumable import config
from small_agents import agent as small_agent
from small_agents import assert_same as assert_same_agent

pytestmark = pytest.mark.parametrize("kind", [str, Path])


def test_files(kind, tmp_path):
    path = tmp_path / "x"
    atomic.atomic_write_bytes(kind(path), b"one")
    atomic.atomic_write_text(kind(path), "two")
    atomic.replace_all({kind(path): b"three"})
    assert atomic.read_bytes(kind(path), 9) == b"three"
    atomic.write_folder(kind(tmp_path / "folder"), {"y": b"four"})
    with atomic.writing(kind(tmp_path / "folder")):
        assert (tmp_path / "folder" / "y").read_bytes() == b"four"
    assert atomic.folder_inside(kind(tmp_path), "a", "b") == tmp_path / "a" / "b"
    assert parts.part_of_file(kind(path)) == parts.part_of(b"three")


def test_agents(kind, tmp_path):
    files = small_agent()
    agent_files.write_agent(kind(tmp_path), files)
    assert_same_agent(agent_files.read_agent(kind(tmp_path)), files)
    policy = agent.load_policy(kind(tmp_path))
    assert policy(np.ones(5, np.float32), np.ones(3, np.float32)).shape == (4,)
    data = dextgen.dextgen_normalizer_bytes(files.obs_moments, files.obs_scaling)
    (tmp_path / "n.pkl").write_bytes(data)
    _, scaling = dextgen.read_dextgen_normalizer(kind(tmp_path / "n.pkl"))
    assert scaling.std.equal(files.obs_scaling.std)


def test_pretrained_agents(kind, tmp_path, eager):
    run = make_run(tiny_config())
    other = run.learner.init(run.key._replace(seed=7))
    files = agent.to_files(run.learner, other)
    folder = tmp_path / "pretrain" / "Point"
    agent_files.write_agent(kind(folder), files)
    assert run_dir.pretrain_directory(kind(tmp_path), POINT_REACH, "Point") == folder
    loaded, _ = resume.load_pretrained(run, other, kind(tmp_path), POINT_REACH)
    assert_same(loaded.params, other.params)
    assert_same(agent.from_files(run.learner, other, files, kind(folder)), loaded)
    assert agent.rotation_of(files, run.env_spec, kind(folder)) is None


def test_shards(kind, tmp_path):
    buffer = ReplayBuffer(make_run(config()).env_spec, 20)
    for _ in range(2):
        buffer.append(Episode(*(np.ones(field.shape[1:], np.float32) for field in buffer.episodes)))
    replay_shards.write_shard(kind(tmp_path), 0, 1, buffer.newest(2))
    empty = ReplayBuffer(make_run(config()).env_spec, 20)
    assert_same(replay_shards.read_buffer(kind(tmp_path), 0, 1, 2, 2, empty), buffer)


def test_runs(kind, tmp_path):
    paths = run_dir.open_run(kind(tmp_path), "A-v0", datetime(2026, 1, 2, 3, 4))
    (paths.checkpoints / "1").mkdir()
    assert resume.find_run(kind(tmp_path), "A-v0", kind(paths.checkpoints)).name == "1"
    content = {"env": "A-v0", "config": {"kwargs": {"a": 1}}}
    (paths.latest / "stats.json").write_text(json.dumps(content))
    assert run_dir.recorded_kwargs(kind(paths.latest), "A-v0") == ["kwargs.a=1"]


def test_checkpoints(kind, checkpoints):
    path = kind(checkpoints / "2")
    assert resume.resumed_config(path, POINT_REACH, ["epochs=9"]) == config(epochs=9)
    assert resume.restore(make_run(config(epochs=9)), path).progress.epoch == 2
