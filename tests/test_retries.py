"""Trying failed episodes again: without noise an attempt is the evaluation's episode."""

import sys
from contextlib import closing
from pathlib import Path

import gymnasium

import envs  # noqa: F401
import grasp_func

sys.path.append(str(Path(__file__).parents[1] / "docs"))

import retries


def test_attempts(monkeypatch):
    agent = grasp_func.PRETRAINED / "ParallelJaw"
    policy = grasp_func.load_policy(agent)
    with closing(gymnasium.make("UnevenPJRotCube-v0")) as env:
        episodes = grasp_func.evaluate(agent, env, 8, seed=2).episodes

        def outcomes(strongest):
            monkeypatch.setattr(retries, "STRONGEST", strongest)
            return [retries.wins(env, policy, episode.seed, 0) for episode in episodes]

        greedy = [episode.success for episode in episodes]
        assert outcomes(0.0) == greedy
        assert 0 < sum(greedy) < 8
        assert sum(outcomes(9.0)) < sum(greedy)
