"""What the results of episodes come to, by hand."""

import pytest

from grasp_func.training.episode_result import EpisodeResult
from grasp_func.training.evaluation import EvalResult, Spread, evaluate_agent
from grasp_func.training.rate import Rate
from grasp_func.training.setup import initial_state
from helpers import make_run, run_twins, scored, tiny_config


def episode(success=True, air=None, **values):
    required = {"seed": 0, "reward": -1.0, "at_goal": 0.0, "first_success": None}
    return EpisodeResult(**{**required, "success": success, "air": air, **values})


MIXED = EvalResult(
    (
        episode(True, True, object="Cube", distance=0.1, at_goal=0.5, first_success=10),
        episode(False, True, object="Ball", distance=0.2, reward=0.0),
        episode(True, False, object="Cube", distance=0.6, at_goal=1.0, first_success=20),
        episode(True, False, object="Cube", drops=3, off_table=False),
        episode(False, None, object="Ball", drops=0, off_table=True),
    )
)


def test_rates():
    # 3 of 5 in all; 2 of 2 on the table, 1 of 2 in the air; the last one counts in neither
    assert (MIXED.overall, MIXED.table, MIXED.air) == (Rate(3, 5), Rate(2, 2), Rate(1, 2))
    assert (MIXED.success, MIXED.table.value, MIXED.air.value) == (0.6, 1.0, 0.5)


def test_measures_leave_out_episodes_that_have_none():
    # the 90% quantile of 0.1, 0.2, 0.6 is 0.8 of the way from 0.2 to 0.6
    assert MIXED.distance == pytest.approx(Spread(mean=0.3, median=0.2, p90=0.52))
    assert MIXED.first_success == pytest.approx(Spread(15, 15, 19))
    assert (MIXED.at_goal, MIXED.reward) == pytest.approx((0.3, -0.8))
    assert (MIXED.drops, MIXED.off_table) == (1.5, 0.5)
    assert MIXED.angle is None
    assert EvalResult((episode(angle=0.4),)).angle == (0.4, 0.4, 0.4)


def test_nothing_comes_to_nothing():
    empty = EvalResult(())
    assert empty.overall == empty.table == empty.air == Rate(0, 0)
    assert (empty.success, empty.table.value) == (0.0, None)
    assert empty.distance is empty.at_goal is empty.reward is None
    assert empty.groups() == {(None, None): empty}


def test_groups_by_object_and_goal():
    successes = {key: tuple(group.overall) for key, group in MIXED.groups().items()}
    assert list(successes.items()) == [
        ((None, None), (3, 5)),
        ((None, "table"), (2, 2)),
        ((None, "air"), (1, 2)),
        (("Ball", None), (0, 2)),
        (("Ball", "air"), (0, 1)),
        (("Cube", None), (3, 3)),
        (("Cube", "table"), (2, 2)),
        (("Cube", "air"), (1, 1)),
    ]


def test_a_single_object_is_not_told_apart():
    same = EvalResult((episode(object="Cube", air=True), episode(object="Cube", air=True)))
    assert list(same.groups()) == [(None, None), (None, "air")]
    assert list(scored(1, 2).groups()) == [(None, None)]


def test_episodes_keep_their_order_on_any_number_of_processes():
    def process(comm):
        run = make_run(tiny_config(workers=4), comm)
        return evaluate_agent(run, initial_state(run), 3, 7, lambda *_: None)

    (alone,) = run_twins(1, process)
    assert run_twins(2, process) == [alone, alone] and run_twins(4, process) == [alone] * 4
    assert len({result.seed for result in alone.episodes}) == 7
    run = make_run(tiny_config(workers=1))
    assert evaluate_agent(run, initial_state(run), 3, 7, lambda *_: None) == alone
