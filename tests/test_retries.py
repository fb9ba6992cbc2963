"""Trying failed episodes again: without noise an attempt is the evaluation's episode."""

import sys
from contextlib import closing
from pathlib import Path

import grasp_func
from grasp_func.training.evaluation import evaluate
from grasp_func.training.goal_env import GymGoalEnv, make_env

sys.path.append(str(Path(__file__).parents[1] / "docs"))

import retries


def test_attempts(monkeypatch):
    policy = grasp_func.load_policy(grasp_func.PRETRAINED / "ParallelJaw")
    with closing(GymGoalEnv(make_env("envs:UnevenPJRotCube-v0", {}))) as env:
        episodes = evaluate(env, policy, 2, range(8)).episodes

        def outcomes(strongest):
            monkeypatch.setattr(retries, "STRONGEST", strongest)
            return [retries.wins(env, policy, episode.seed, 0) for episode in episodes]

        greedy = [episode.success for episode in episodes]
        assert outcomes(0.0) == greedy
        assert sum(outcomes(9.0)) < sum(greedy)
