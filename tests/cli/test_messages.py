"""What is said after training: why it ended, and commands that work."""

import pytest

from grasp_func.cli.messages import end_lines
from grasp_func.storage.run_dir import RunPaths
from helpers import POINT_REACH, make_run, run_training, tiny_config
from statistics_rows import make_row, success


@pytest.fixture
def ended(eager, tmp_path):
    """Returns a function that ends a run with some settings and returns the last lines."""

    def lines(save=True, best=None, modules=(), n=None, **changes):
        cfg = tiny_config(**changes)
        result = run_training(cfg)[:n][-1]
        paths = RunPaths(tmp_path, tmp_path / "backup" / "now") if save else None
        return end_lines(make_run(cfg), paths, result, best, "to resume: ...", modules)

    return lines


def test_all_epochs(ended, tmp_path):
    assert ended(epochs=2) == [
        "finished: all 2 epochs are completed",
        "best agent: none, because no evaluation with a success was confirmed",
        f"files: {tmp_path}; those of this run alone: {tmp_path}/backup/now",
        f"evaluate: grasp-func evaluate --env {POINT_REACH} --load {tmp_path} --ntests 1000",
    ]


def test_a_best_agent_of_an_earlier_run_is_not_named(ended, tmp_path):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "actor.pt").touch()
    assert f"--load {tmp_path} " in ended()[3]


def test_early_stop_names_the_evaluation_that_decided(ended):
    first, *_ = ended(epochs=9, early_stop=0.0, confirm_episodes=7)
    assert first.startswith("finished: early stop after epoch 1, success 0.")
    assert first.endswith(" of 7 episodes reaches early_stop = 0.0")
    first, *_ = ended(epochs=9, early_stop=0.0, evals=3)
    assert " of 3 episodes reaches" in first


def test_lost_patience(ended):
    first, *_ = ended(epochs=30, patience=2, late_success=0.0, evals=3)
    assert first == "finished: no better agent for 2 epoch(s)"


def test_a_stop_on_request_can_be_resumed(ended):
    *lines, last = ended(epochs=3, n=2, modules=["helpers"])
    assert lines[0] == "stopped on request after epoch 2"
    assert last == "to resume: ..."
    assert f"--env {POINT_REACH} --import helpers --load" in lines[3]


def test_a_run_that_only_evaluated_is_not_resumed(ended):
    lines = ended(epochs=3, n=1, load_pretrained=True)
    assert lines[0] == "stopped on request after epoch 0"
    assert "to resume: ..." not in lines


def test_the_best_agent_is_named_and_evaluated(ended, tmp_path):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "actor.pt").touch()
    lines = ended(best=make_row(5, best=success(0.97, 1000)))
    assert (
        lines[1] == "best agent: success 0.970 [0.960, 0.980] of 1000 confirming episodes, epoch 5"
    )
    assert f"--load {tmp_path}/best " in lines[3]


def test_nothing_was_saved(ended):
    assert ended(save=False)[2:] == ["files: nothing was saved"]
