"""The angle tolerance: wide at first, part of the schedule, and the true task's at the end."""

import math

import gymnasium
import pytest

from grasp_func.cli.status import progress_line
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import make_workers
from grasp_func.training import loop
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.metrics import row_of
from grasp_func.training.setup import initial_state
from grasp_func.training.setup import make_run as bind
from helpers import POINT_REACH, make_run, run_training, tiny_config

EASY = {"kwargs": {"angle_tolerance": 2.0}}  # a distance here; all but the farthest points succeed


def test_training_stops_early_only_at_the_true_tolerance(eager):
    cfg = tiny_config(epochs=9, early_stop=0.5, confirm_episodes=4, evals=10, **EASY)
    results = run_training(cfg)
    tolerances = [math.pi, math.pi / 1.25, math.pi / 1.25**2, 2.0]
    assert [result.angle_tolerance for result in results] == pytest.approx(tolerances)
    assert [result.curriculum_active for result in results] == [True] * 3 + [False]
    assert [result.confirmation is not None for result in results] == [False] * 3 + [True]


@pytest.mark.parametrize("phase", ["late", "fine"])
def test_phases_wait_for_the_true_tolerance(phase, eager):
    cfg = tiny_config(epochs=6, early_stop=1.0, evals=10, **{f"{phase}_success": 0.5}, **EASY)
    phases = [result.schedule.phase for result in run_training(cfg)]
    assert phases == ["early"] * 4 + [phase] * (len(phases) - 4)


def test_starts_above_a_grasp_wait_for_the_true_tolerance(eager):
    cfg = tiny_config(epochs=4, early_stop=1.0, evals=10, pregrasp_start=0.5, **EASY)
    probabilities = [result.schedule.p_starts(cfg)["pregrasp"] for result in run_training(cfg)]
    assert probabilities[:3] == [0.5] * 3 and probabilities[3] < 0.5


def test_evaluation_and_rewards_follow_the_tolerance(eager):
    run = make_run(tiny_config(epochs=1, evals=20, kwargs={"angle_tolerance": 1e-6}))
    (result,) = loop.train(run, initial_state(run))
    assert result.eval_result.success == 1.0  # at pi; no point comes as near as the true task wants
    assert run.env.angle_tolerance == math.pi and run.env.true_angle_tolerance == 1e-6
    assert result.schedule.tightenings == 1


def test_two_runs_on_one_environment_agree_on_the_true_task(eager):
    """The first run leaves the environment with a wide tolerance."""
    env, cfg = gymnasium.make(POINT_REACH, angle_tolerance=0.01), tiny_config(epochs=1)
    results = []
    for _ in range(2):
        run = bind(cfg, GymGoalEnv(env), make_workers(SoloComm(), 1))
        assert run.env.true_angle_tolerance == 0.01
        results += loop.train(run, initial_state(run))
    assert results[0].curriculum_active and results[1].curriculum_active
    assert results[0].params_hash == results[1].params_hash


def test_rows_and_lines_show_the_tolerance(eager):
    run = make_run(tiny_config(epochs=1, **EASY))
    (result,) = loop.train(run, initial_state(run))
    row = row_of(run.cfg, result)
    assert row["angle_tolerance"] == math.pi
    assert "within 3.142 rad" in progress_line(row, 1)
    plain = make_run(tiny_config(epochs=1))
    (result,) = loop.train(plain, initial_state(plain))
    row = row_of(plain.cfg, result)
    assert row["angle_tolerance"] is None and "rad" not in progress_line(row, 1)
