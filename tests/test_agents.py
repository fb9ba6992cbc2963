"""Every shipped agent still reaches what was published of it."""

import hashlib
import json
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import envs
from grasp_func import PRETRAINED, evaluate
from grasp_func.config.load import load_config
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import make_workers
from grasp_func.shipped import DEFAULT_CONFIG
from grasp_func.training import setup
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.resume import load_pretrained

ROOT = Path(__file__).parents[1]
AGENTS = sorted(path.parent.name for path in PRETRAINED.glob("*/stats.json"))
EPISODES = 1000  # those of docs/publish.py


def published(name):
    """Returns the evaluations of a shipped agent that cards and tables show, its own first."""
    stats = json.loads((PRETRAINED / name / "stats.json").read_text())
    folder = ROOT / "docs" / "results" / stats["env"]
    paths = sorted(folder.glob(f"seed{stats['seed']}_evaluation*.json"))
    return [json.loads(path.read_text()) for path in paths]


@pytest.mark.parametrize("name", AGENTS)
def test_what_was_published_is_of_this_agent(name):
    actor = (PRETRAINED / name / "actor.pt").read_bytes()
    hashes = {result["actor_sha256"] for result in published(name)}
    assert hashes == {hashlib.sha256(actor).hexdigest()}


@pytest.mark.slow
@pytest.mark.parametrize("name", AGENTS)
def test_success_is_within_the_published_interval(name):
    expected = published(name)[0]
    result = evaluate(PRETRAINED / name, f"envs:{expected['env']}", n=EPISODES, seed=1000)
    assert expected["success_low"] <= result.success <= expected["success_high"]


def test_an_agent_that_lacks_entries_of_the_goal_sees_them_on_their_own_scale(tmp_path):
    """The ShadowHand knows no obstacle, whose position varies by a tenth of a metre."""
    env_id = "ObstacleSHCube-v0"
    changes = ["seed=1", "workers=1", "updates=eager", f"load_pretrained={PRETRAINED}/ShadowHand"]
    cfg = load_config(DEFAULT_CONFIG, env_id, changes, envs.ENV_IDS)
    env = GymGoalEnv(gymnasium.make(env_id, **cfg.kwargs))
    run = setup.make_run(cfg, env, make_workers(SoloComm(), 1))
    state, line = load_pretrained(run, setup.initial_state(run), tmp_path, env_id)
    assert line.endswith("what it does not know of the goal is ignored at first")
    goals = np.array([env.reset(seed).goal for seed in range(100)])
    _, scale = run.learner.scalings(state)
    obstacles = (goals - scale.mean.numpy())[:, 3:] / scale.std.numpy()[3:]
    np.testing.assert_allclose(obstacles.std(0), 1.0, atol=0.2)
    np.testing.assert_allclose(obstacles.mean(0), 0.0, atol=0.4)
