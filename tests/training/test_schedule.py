"""The schedule by hand: phases, starts and the angle tolerance."""

import math

import numpy as np
import pytest

from grasp_func.training.schedule import ScheduleState
from helpers import tiny_config


def test_a_phase_begins_with_the_second_success_at_its_rate():
    cfg = tiny_config(late_success=0.5, late_lr=0.3, fine_success=0.8, fine_lr=0.1)
    schedule, course = ScheduleState(), []
    for success in (0.4, 0.5, 0.4, 0.9, 0.3, 0.8):
        schedule = schedule.advanced(cfg, success)
        course.append((schedule.phase, schedule.lr_scale(cfg)))
    # the second of at least 0.5 comes fourth, the second of at least 0.8 sixth
    assert course == [("early", 1.0)] * 3 + [("late", 0.3)] * 2 + [("fine", 0.1)]
    assert schedule.epoch == 6


def test_without_thresholds_training_stays_in_its_early_phase():
    schedule = ScheduleState()
    for _ in range(3):
        schedule = schedule.advanced(tiny_config(), 1.0)
    assert schedule.phase == "early"


def test_the_probability_of_easy_starts_falls_with_the_best_success():
    cfg = tiny_config(pregrasp_start=0.5, grasp_start=0.2, easy_start_until=0.8)
    schedule, probabilities = ScheduleState(), []
    for success in (0.0, 0.4, 0.2, 0.6, 0.9, 0.0):
        schedule = schedule.advanced(cfg, success)
        probabilities.append(tuple(schedule.p_starts(cfg).values()))
    # (0.5, 0.2) * (1 - best / 0.8) for the best of 0, 0.4, 0.4, 0.6, 0.9, 0.9
    expected = [(0.5, 0.2), (0.25, 0.1), (0.25, 0.1), (0.125, 0.05), (0.0, 0.0), (0.0, 0.0)]
    assert np.allclose(probabilities, expected)


def test_phases_and_starts_wait_for_the_true_task():
    """Success is easy while the angle tolerance is wide, so it must not count."""
    cfg = tiny_config(late_success=0.5, fine_success=0.8, pregrasp_start=0.5, easy_start_until=0.8)
    schedule = ScheduleState()
    for _ in range(3):
        schedule = schedule.advanced(cfg, 1.0, curriculum_active=True)
    assert schedule == ScheduleState(epoch=3, tightenings=3)
    assert schedule.phase == "early" and schedule.p_starts(cfg)["pregrasp"] == 0.5
    for _ in range(2):
        schedule = schedule.advanced(cfg, 0.8)
    assert schedule == ScheduleState(5, late_hits=2, fine_hits=2, best=0.8, tightenings=3)
    assert schedule.phase == "fine" and schedule.p_starts(cfg)["pregrasp"] == 0.0


def test_the_confirmed_success_of_the_best_agent():
    cfg, schedule, course = tiny_config(), ScheduleState(), []
    for confirmed, curriculum_active in ((0.3, False), (0.2, False), (0.9, True), (0.4, False)):
        schedule = schedule.advanced(cfg, 1.0, curriculum_active, confirmed)
        course.append(schedule.best_confirmed)
    assert course == [0.3, 0.3, 0.3, 0.4]
    assert schedule.advanced(cfg, 1.0).best_confirmed == 0.4


def test_epochs_without_a_better_agent():
    cfg, schedule, course = tiny_config(late_success=0.5), ScheduleState(), []
    epochs = [(0.1, 0.1), (0.1, 0), (0.5, 0.4), (0.5, 0), (0.6, 0), (0.6, 0.5), (0.1, 0.2)]
    for success, confirmed in epochs:
        schedule = schedule.advanced(cfg, success, confirmed=confirmed)
        course.append((schedule.phase, schedule.without_better))
    early, late = [("early", 0)] * 3, [("late", 0), ("late", 1), ("late", 0), ("late", 1)]
    assert course == early + late
    assert schedule.advanced(cfg, 1.0, curriculum_active=True).without_better == 1


@pytest.mark.parametrize(
    ("success", "confirmed", "phase", "pregrasp"),
    [
        (0.3, 0.2, "early", 0.25),
        (0.6, 0.5, "late", 0),
        (1.0, 0.89, "late", 0),
        (1.0, 0.9, "fine", 0),
    ],
)
def test_a_pretrained_agent_begins_in_the_phase_that_it_has_reached_for_certain(
    success, confirmed, phase, pregrasp
):
    cfg = tiny_config(late_success=0.5, fine_success=0.9, pregrasp_start=0.5, easy_start_until=0.6)
    schedule = ScheduleState().pretrained(cfg, success, confirmed)
    assert schedule.phase == phase and schedule.epoch == 0
    assert schedule.p_starts(cfg)["pregrasp"] == pytest.approx(pregrasp)


def test_angle_tolerance_by_hand():
    cfg, schedule, course = tiny_config(), ScheduleState(), []
    for success in (0.75, 0.76, 0.9, 0.1, *[1.0] * 12):
        tolerance = schedule.angle_tolerance(cfg, 0.2)
        course.append(tolerance)
        schedule = schedule.advanced(cfg, success, curriculum_active=tolerance != 0.2)
    assert course[:5] == pytest.approx([math.pi, math.pi, math.pi / 1.25, *[math.pi / 1.5625] * 2])
    assert course[-2] > course[-1] == 0.2 and schedule.tightenings == 13
    assert ScheduleState().angle_tolerance(cfg, None) is None
    strict = tiny_config(angle_tolerance_start=0.1)
    assert ScheduleState().angle_tolerance(strict, 0.2) == 0.2
