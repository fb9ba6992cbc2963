"""Every key of the configuration has its effect, and no earlier one, on a tiny training run."""

import functools
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch

from grasp_func.config.load import Config
from grasp_func.core import jit
from grasp_func.training import loop, setup
from helpers import assert_same, make_run, tiny_config

ONE_UPDATE = {"epochs": 1, "batches": 1}
GAUSSIAN = {"eps": 1.0, "noise_process": "Gaussian"}
PREGRASP = {"pregrasp_start": 1.0, "evals": 40}
LOW_NOISE = {"p_low_noise": 1.0}
LATE = {"late_success": 0.0, "epochs": 3}  # from the third epoch on, training is in its late phase
FINE = {"fine_success": 0.0, "epochs": 3}
STILL = {"kwargs": {"dims": 1, "step_size": 0.0}}  # some episodes start at their goals and succeed
MATRIX = {"kwargs": {"rotation": True}}
EASED = {"kwargs": {"angle_tolerance": 2.0}}  # every episode succeeds at such distances
# tested at the end, in test_cli_keys, in test_session and in test_setup
OTHER_KEYS = {"relative_rotation", "save", "load_pretrained", "matmul", "updates", "min_workers"}


# What an epoch consists of, in causal order: what comes later follows from what comes earlier.
STAGES = (
    {"starts"},  # first observations of the training episodes
    {"actions"},  # of the training episodes
    {"batch size"},
    {"transitions", "goals"},  # of the batches: observations and actions, goals and rewards
    {"parameters", "targets"},  # of the networks, after the epoch
)


class Result(NamedTuple):
    """A run that has ended."""

    run: setup.Run
    start: Any
    reports: list[loop.EpochResult]
    epochs: list[dict[str, Any]]  # what each epoch consisted of

    @property
    def state(self):
        return self.reports[-1].state

    def network(self, name):
        return self.run.learner.unravel(self.state.params)[name]


def result_of(changes) -> Result:
    run = make_run(tiny_config(**changes))
    start = setup.initial_state(run)
    batches = []

    def update(state, batch_of_each_worker):
        batches.extend(batch_of_each_worker)
        return run.learner.update(state, batch_of_each_worker)

    watched = run._replace(learner=run.learner._replace(update=update))
    reports, epochs = [], []
    for report in loop.train(watched, start):
        reports.append(report)
        epochs.append(contents(run.cfg, report, batches))
        batches.clear()
    return Result(run, start, reports, epochs)


@functools.cache
def cached_result(changes: str) -> Result:
    return result_of(json.loads(changes))


def contents(cfg, report, batches) -> dict[str, Any]:
    """Returns what an epoch consisted of, by the names in STAGES."""
    played = [buffer.newest(cfg.cycles * cfg.rollouts) for buffer in report.buffers]
    return {
        "starts": np.array([episodes.obs[:, 0] for episodes in played]),
        "actions": np.array([episodes.action for episodes in played]),
        "batch size": np.array([len(batch.obs) for batch in batches]),
        "transitions": np.concatenate([np.hstack([b.obs, b.action, b.next_obs]) for b in batches]),
        "goals": np.concatenate([np.hstack([b.goal, b.reward]) for b in batches]),
        "parameters": report.state.params.numpy().copy(),
        "targets": report.state.target.numpy().copy(),
    }


# --- what can be observed


def n_epochs(result):
    return len(result.reports)


def updates(result):
    return int(result.state.step)


def episodes(result):
    return int(result.state.goal_norm.count)


def evaluated(result):
    return result.reports[-1].eval_result.overall.n


def confirmed(result):
    confirmation = result.reports[-1].confirmation
    return confirmation and confirmation.overall.n


def phases(result):
    return [report.schedule.phase for report in result.reports]


def tolerances(result):
    return [round(report.angle_tolerance, 3) for report in result.reports]


def learning_rate_scale(result):
    return [float(report.state.lr_scale) for report in result.reports]


def sizes_of(network):
    def sizes(result):
        params = result.network(network)
        weights = [params[name] for name in sorted(params) if name.endswith("weight")]
        return [weights[0].shape[1], *(len(weight) for weight in weights)]

    return sizes


def not_normalised(which):
    def entries(result):
        scale = result.run.learner.scalings(result.state)[which]
        return torch.nonzero((scale.mean == 0) & (scale.std == 1)).flatten().tolist()

    return entries


# --- how a difference is judged

Judge = Callable[[Result, Result], None]


def shows(observable, before, after) -> Judge:
    """The observable has these two values."""

    def judge(a, b):
        assert observable(a) == before
        assert observable(b) == after

    return judge


def changes(*names, epoch=1) -> Judge:
    """These parts of an epoch change first; all that precedes them is equal to the bit."""

    def judge(a, b):
        for i, (x, y) in enumerate(zip(a.epochs, b.epochs, strict=True)):
            for stage in STAGES:
                changed = {name for name in stage if not np.array_equal(x[name], y[name])}
                if changed:
                    assert (i + 1, changed) == (epoch, set(names))
                    return
        raise AssertionError("nothing changed")

    return judge


def only(changed, unchanged) -> Judge:
    """One network is different, the other one equal to the bit."""

    def judge(a, b):
        assert_same(a.network(unchanged), b.network(unchanged))
        assert not torch.equal(*(r.network(changed)["layers.0.weight"] for r in (a, b)))

    return judge


def targets_only(a, b):
    assert_same(a.state.params, b.state.params)
    assert not torch.equal(a.state.target, b.state.target)


def start(a, b):
    assert not torch.equal(a.start.params, b.start.params)


EFFECTS: dict[str, tuple[dict[str, Any], Any, Judge]] = {  # key: (other settings, value, effect)
    "epochs": ({}, 3, shows(n_epochs, 2, 3)),
    "cycles": ({}, 2, shows(updates, 4, 8)),
    "rollouts": ({}, 3, shows(episodes, 2, 6)),
    "batches": ({}, 5, shows(updates, 4, 10)),
    "evals": ({}, 7, shows(evaluated, 2, 7)),
    "batch_size": ({}, 9, changes("batch size")),
    "buffer_size": ({}, 10, changes("transitions", "goals", epoch=2)),  # room for one episode only
    "gamma": ({}, 0.5, changes("parameters", "targets")),
    "actor_lr": (ONE_UPDATE, 0.1, only("actor", "critic")),
    "critic_lr": (ONE_UPDATE, 0.1, only("critic", "actor")),
    "tau": (ONE_UPDATE, 0.5, targets_only),
    "soft_update_every": ({}, "update", changes("parameters", "targets")),
    "target_policy": ({}, True, changes("actions", epoch=2)),
    "eps": ({}, 1.0, changes("actions")),
    "noise_process": ({"eps": 1.0}, "Gaussian", changes("actions")),
    "noise_process_params": (
        {"eps": 1.0, "noise_process": "Gaussian"},
        {"mu": 0.5},
        changes("actions"),
    ),
    "action_noise": ({}, 0.5, changes("actions")),
    "p_low_noise": ({}, 1.0, changes("actions")),
    "low_noise_eps": (LOW_NOISE, 1.0, changes("actions")),
    "low_noise_action_noise": (LOW_NOISE, 0.5, changes("actions")),
    "pregrasp_start": ({}, 1.0, changes("starts")),
    "grasp_start": ({}, 1.0, changes("starts")),
    "easy_start_until": (
        {"pregrasp_start": 1.0, "evals": 40} | STILL,
        0.01,
        changes("starts", epoch=2),
    ),
    "k": ({}, 0.0, changes("goals")),
    "p_moved": ({}, 1.0, changes("transitions", "goals")),
    "p_lifted": ({"kwargs": {"dims": 3}}, 1.0, changes("transitions", "goals")),
    "replay_tolerance": ({}, 0.1, changes("goals")),
    "p_symmetry": ({"kwargs": {"dims": 3}}, 1.0, changes("transitions", "goals")),
    "action_clip": ({}, 0.1, changes("actions")),
    "state_clip": ({}, 0.1, changes("actions")),
    "goal_clip": ({}, 0.1, changes("actions")),
    "grad_clip": ({}, 1e-3, changes("parameters", "targets")),
    "action_norm": (ONE_UPDATE, 9.0, only("actor", "critic")),
    "action_l2": (ONE_UPDATE, 9.0, only("actor", "critic")),
    "actor_net_type": (MATRIX, "PosePolicyNet", shows(sizes_of("actor"), [6, 8, 11], [6, 8, 8])),
    "actor_net_nlayers": ({}, 3, shows(sizes_of("actor"), [6, 8, 2], [6, 8, 8, 2])),
    "actor_net_layer_width": ({}, 9, shows(sizes_of("actor"), [6, 8, 2], [6, 9, 2])),
    "critic_net_nlayers": ({}, 3, shows(sizes_of("critic"), [8, 8, 1], [8, 8, 8, 1])),
    "critic_net_layer_width": ({}, 9, shows(sizes_of("critic"), [8, 8, 1], [8, 9, 1])),
    "state_norm_exclude": ({}, ["velocity"], shows(not_normalised(0), [], [2, 3])),
    "state_norm_idx": ({}, [0, 3], shows(not_normalised(0), [], [1, 2])),
    "goal_norm_idx": ({}, [1], shows(not_normalised(1), [], [0])),
    "angle_tolerance_start": (EASED, 3.0, shows(tolerances, [3.142, 2.513], [3.0, 2.4])),
    "angle_tolerance_factor": (EASED, 1.5, shows(tolerances, [3.142, 2.513], [3.142, 2.094])),
    "angle_tolerance_success": (EASED, 1.0, shows(tolerances, [3.142, 2.513], [3.142, 3.142])),
    "late_success": ({"epochs": 3}, 0.0, shows(phases, ["early"] * 3, ["early", "late", "late"])),
    "late_lr": (LATE, 0.5, shows(learning_rate_scale, [1, 1, 1], [1, 0.5, 0.5])),
    "late_k": (LATE, 0.5, changes("goals", epoch=3)),
    "late_eps": (LATE, 1.0, changes("actions", epoch=3)),
    "late_action_noise": (LATE, 0.5, changes("actions", epoch=3)),
    "late_low_noise_eps": (LATE | LOW_NOISE, 1.0, changes("actions", epoch=3)),
    "late_low_noise_action_noise": (LATE | LOW_NOISE, 0.5, changes("actions", epoch=3)),
    "fine_success": ({"epochs": 3}, 0.0, shows(phases, ["early"] * 3, ["early", "fine", "fine"])),
    "fine_lr": (FINE, 0.125, shows(learning_rate_scale, [1, 1, 1], [1, 0.125, 0.125])),
    "early_stop": ({}, 0.0, shows(n_epochs, 2, 1)),
    "confirm_episodes": ({"early_stop": 0.0}, 3, shows(confirmed, None, 3)),
    "patience": (LATE | {"epochs": 6}, 1, shows(n_epochs, 6, 3)),
    "seed": ({}, 1, start),
    "workers": ({}, 2, shows(evaluated, 2, 4)),
    "kwargs": ({}, {"dims": 3}, shows(sizes_of("actor"), [6, 8, 2], [9, 8, 3])),
}


@pytest.mark.parametrize("key", EFFECTS)
def test_key_has_its_effect(key, eager):
    base, value, judge = EFFECTS[key]
    judge(cached_result(json.dumps(base)), result_of(base | {key: value}))


def test_no_key_is_left_out():
    assert set(EFFECTS) | OTHER_KEYS == set(Config.model_fields)


def test_eager_updates_are_not_traced_and_give_the_same_bits(monkeypatch):
    traces = []
    trace = jit.trace
    monkeypatch.setattr(setup, "trace", lambda *args: traces.append(1) or trace(*args))
    traced, eager = result_of({}), result_of({"updates": "eager"})
    assert len(traces) == 1
    assert_same(eager.state, traced.state)
