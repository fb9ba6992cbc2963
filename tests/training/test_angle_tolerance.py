"""The angle tolerance: eased at first, training state, and the true task's at the end."""

import math

import pytest

from grasp_func.training import loop
from grasp_func.training.recorder import progress_line, row_of
from grasp_func.training.rollout import env_spec_of
from grasp_func.training.schedule import ScheduleState
from grasp_func.training.setup import ddpg_config
from helpers import make_run, run_training, tiny_config

EASY = {"kwargs": {"angle_tolerance": 2.0}}  # a distance here; all but the farthest points succeed


def test_schedule_by_hand():
    cfg, progress, course = tiny_config(), ScheduleState(), []
    for success in (0.75, 0.76, 0.9, 0.1, *[1.0] * 12):
        tolerance = progress.angle_tolerance(cfg, 0.2)
        course.append(tolerance)
        progress = progress.advanced(cfg, success, curriculum_active=tolerance != 0.2)
    assert course[:5] == pytest.approx([math.pi, math.pi, math.pi / 1.25, *[math.pi / 1.5625] * 2])
    assert course[-2] > course[-1] == 0.2 and progress.tightenings == 13
    assert ScheduleState().angle_tolerance(cfg, None) is None
    strict = tiny_config(angle_tolerance_start=0.1)
    assert ScheduleState().angle_tolerance(strict, 0.2) == 0.2


def test_training_stops_early_only_at_the_true_tolerance(eager):
    cfg = tiny_config(epochs=9, early_stop=0.5, confirm_episodes=4, evals=10, **EASY)
    reports = run_training(cfg)
    tolerances = [math.pi, math.pi / 1.25, math.pi / 1.25**2, 2.0]
    assert [report.angle_tolerance for report in reports] == pytest.approx(tolerances)
    assert [report.curriculum_active for report in reports] == [True] * 3 + [False]
    assert [report.confirmation is not None for report in reports] == [False] * 3 + [True]


def test_the_fine_phase_waits_for_the_true_tolerance(eager):
    cfg = tiny_config(epochs=6, early_stop=1.0, evals=10, fine_success=0.5, **EASY)
    phases = [report.progress.phase for report in run_training(cfg)]
    assert phases[:4] == ["early"] * 4


def test_evaluation_and_rewards_follow_the_tolerance(eager):
    run = make_run(tiny_config(epochs=1, evals=20, kwargs={"angle_tolerance": 1e-6}))
    (report,) = loop.train(run, loop.initial_state(run))
    assert report.score.success == 1.0  # at pi; nothing comes as near as the true task wants
    assert run.env.unwrapped.angle_tolerance == math.pi and run.angle_tolerance == 1e-6
    assert report.progress.tightenings == 1


def test_rows_and_lines_tell(eager):
    run = make_run(tiny_config(epochs=1, **EASY))
    (report,) = loop.train(run, loop.initial_state(run))
    row = row_of(run, report, 0.0)
    assert row["angle_tolerance"] == math.pi
    assert "within 3.142 rad" in progress_line(row, 1)
    plain = make_run(tiny_config(epochs=1))
    (report,) = loop.train(plain, loop.initial_state(plain))
    row = row_of(plain, report, 0.0)
    assert row["angle_tolerance"] is None and "rad" not in progress_line(row, 1)


def test_the_lowest_reward_is_the_environments():
    run = make_run(tiny_config())
    assert run.env_spec.lowest_reward == -1.0
    run.env.unwrapped.lowest_reward = -2.0
    env_spec = env_spec_of(run.env)
    assert ddpg_config(run.cfg, env_spec).lowest_reward == env_spec.lowest_reward == -2.0
