"""Every key of the configuration does something: changing it changes what a tiny run shows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch

from grasp_func.cli import train
from grasp_func.config.load import Config
from grasp_func.core import jit
from grasp_func.training import loop, setup
from helpers import POINT_REACH, assert_same, make_run, tiny_config

ONE_UPDATE = {"epochs": 1, "batches": 1}
QUIET = {"p_low_noise": 1.0}
LATE = {"late_success": 0.0, "epochs": 3}  # from the third epoch on, training is in its late phase
FINE = {"fine_success": 0.0, "epochs": 3}
STILL = {"kwargs": {"dims": 1, "step_size": 0.0}}  # some begin at their goals, and succeed
MATRIX = {"kwargs": {"rotation": True}}
EASED = {"kwargs": {"angle_tolerance": 2.0}}  # at such distances everything succeeds
OTHER_KEYS = {"save", "load_pretrained", "matmul", "updates"}  # tested at the end


class Result(NamedTuple):
    """A run that has ended."""

    run: setup.Run
    start: Any
    reports: list[loop.EpochResult]

    @property
    def state(self):
        return self.reports[-1].state

    def network(self, name):
        return self.run.learner.unravel(self.state.params)[name]


def result_of(changes) -> Result:
    run = make_run(tiny_config(**changes))
    start = setup.initial_state(run)
    return Result(run, start, list(loop.train(run, start)))


# --- what can be observed


def epochs(result):
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


def excluded(which):
    def entries(result):
        scale = result.run.learner.scalings(result.state)[which]
        return torch.nonzero((scale.mean == 0) & (scale.std == 1)).flatten().tolist()

    return entries


# --- how a difference is judged

Judge = Callable[[Result, Result], None]


def shows(update_normalizers, before, after) -> Judge:
    """The observable has these two values."""

    def judge(a, b):
        assert update_normalizers(a) == before
        assert update_normalizers(b) == after

    return judge


def course(first=1) -> Judge:
    """The agents are equal to the bit before epoch `first` and different from then on."""

    def judge(a, b):
        same = [x.params_hash == y.params_hash for x, y in zip(a.reports, b.reports, strict=True)]
        assert same == [epoch < first for epoch in range(1, len(same) + 1)]

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
    "epochs": ({}, 3, shows(epochs, 2, 3)),
    "cycles": ({}, 2, shows(updates, 4, 8)),
    "rollouts": ({}, 3, shows(episodes, 2, 6)),
    "batches": ({}, 5, shows(updates, 4, 10)),
    "evals": ({}, 7, shows(evaluated, 2, 7)),
    "batch_size": ({}, 9, course()),
    "buffer_size": ({}, 10, course(first=2)),  # one episode, so that the second replaces the first
    "gamma": ({}, 0.5, course()),
    "actor_lr": (ONE_UPDATE, 0.1, only("actor", "critic")),
    "critic_lr": (ONE_UPDATE, 0.1, only("critic", "actor")),
    "tau": (ONE_UPDATE, 0.5, targets_only),
    "soft_update_every": ({}, "update", course()),
    "eps": ({}, 1.0, course()),
    "noise_process": ({"eps": 1.0}, "Gaussian", course()),
    "noise_process_params": ({"eps": 1.0, "noise_process": "Gaussian"}, {"mu": 0.5}, course()),
    "action_noise": ({}, 0.5, course()),
    "p_low_noise": ({}, 1.0, course()),
    "low_noise_eps": (QUIET, 1.0, course()),
    "low_noise_action_noise": (QUIET, 0.5, course()),
    "pregrasp_start": ({}, 1.0, course()),
    "pregrasp_until": ({"pregrasp_start": 1.0, "evals": 40} | STILL, 0.01, course(first=2)),
    "k": ({}, 0.0, course()),
    "p_moved": ({}, 1.0, course()),
    "p_lifted": ({"kwargs": {"dims": 3}}, 1.0, course()),
    "action_clip": ({}, 0.1, course()),
    "state_clip": ({}, 0.1, course()),
    "goal_clip": ({}, 0.1, course()),
    "grad_clip": ({}, 1e-3, course()),
    "action_norm": (ONE_UPDATE, 9.0, only("actor", "critic")),
    "action_l2": (ONE_UPDATE, 9.0, only("actor", "critic")),
    "actor_net_type": (MATRIX, "PosePolicyNet", shows(sizes_of("actor"), [6, 8, 11], [6, 8, 8])),
    "actor_net_nlayers": ({}, 3, shows(sizes_of("actor"), [6, 8, 2], [6, 8, 8, 2])),
    "actor_net_layer_width": ({}, 9, shows(sizes_of("actor"), [6, 8, 2], [6, 9, 2])),
    "critic_net_nlayers": ({}, 3, shows(sizes_of("critic"), [8, 8, 1], [8, 8, 8, 1])),
    "critic_net_layer_width": ({}, 9, shows(sizes_of("critic"), [8, 8, 1], [8, 9, 1])),
    "state_norm_exclude": ({}, ["velocity"], shows(excluded(0), [], [2, 3])),
    "state_norm_idx": ({}, [0, 3], shows(excluded(0), [], [1, 2])),
    "goal_norm_idx": ({}, [1], shows(excluded(1), [], [0])),
    "angle_tolerance_start": (EASED, 3.0, shows(tolerances, [3.142, 2.513], [3.0, 2.4])),
    "angle_tolerance_factor": (EASED, 1.5, shows(tolerances, [3.142, 2.513], [3.142, 2.094])),
    "angle_tolerance_success": (EASED, 1.0, shows(tolerances, [3.142, 2.513], [3.142, 3.142])),
    "late_success": ({"epochs": 3}, 0.0, shows(phases, ["early"] * 3, ["early", "late", "late"])),
    "late_lr": (LATE, 0.5, shows(learning_rate_scale, [1, 1, 1], [1, 0.5, 0.5])),
    "late_action_l2": (LATE, 0.5, course(first=3)),
    "late_eps": (LATE, 1.0, course(first=3)),
    "late_action_noise": (LATE, 0.5, course(first=3)),
    "late_low_noise_eps": (LATE | QUIET, 1.0, course(first=3)),
    "late_low_noise_action_noise": (LATE | QUIET, 0.5, course(first=3)),
    "fine_success": ({"epochs": 3}, 0.0, shows(phases, ["early"] * 3, ["early", "fine", "fine"])),
    "fine_lr": (FINE, 0.125, shows(learning_rate_scale, [1, 1, 1], [1, 0.125, 0.125])),
    "early_stop": ({}, 0.0, shows(epochs, 2, 1)),
    "confirm_episodes": ({"early_stop": 0.0}, 3, shows(confirmed, None, 3)),
    "seed": ({}, 1, start),
    "workers": ({}, 2, shows(evaluated, 2, 4)),
    "kwargs": ({}, {"step_size": 0.1}, course()),
}


@pytest.mark.parametrize("key", EFFECTS)
def test_key_has_its_effect(key, eager):
    base, value, judge = EFFECTS[key]
    judge(result_of(base), result_of(base | {key: value}))


def test_no_key_is_left_out():
    assert set(EFFECTS) | OTHER_KEYS == set(Config.model_fields)


def test_eager_does_without_capture_and_gives_the_same_bits(monkeypatch):
    captures = []
    trace = jit.trace
    monkeypatch.setattr(setup, "trace", lambda *args: captures.append(1) or trace(*args))
    captured, eager = result_of({}), result_of({"updates": "eager"})
    assert len(captures) == 1
    assert_same(eager.state, captured.state)


# --- the keys that the command line reads


@pytest.fixture
def main(eager, monkeypatch, tmp_path, capsys):
    """Returns a function that runs examples/train.py on PointReach and names what it wrote."""
    settings = tiny_config(epochs=1).model_dump(exclude_unset=True)
    text = [f"{key}={value}" for key, value in settings.items()]
    (tmp_path / "config.yaml").write_text("Default:\n  seed: 0\n")

    def run(*changes):
        arguments = ["--env", POINT_REACH, "--import", "helpers"]
        arguments += ["--config", str(tmp_path / "config.yaml")]
        arguments += ["--save-dir", str(tmp_path / "saves")]
        arguments += [word for change in (*text, *changes) for word in ("--set", change)]
        assert train.main(arguments) == 0
        return {path.name for path in (tmp_path / "saves").rglob("*")}

    return run


def test_save(main):
    assert main("save=false") == set()
    assert {"actor.pt", "critic.pt", "stats.json", "stats.png", "checkpoints"} <= main("save=true")


def test_load_pretrained(main, capsys):
    main("load_pretrained=false")
    with pytest.raises(SystemExit, match="2"):
        main("load_pretrained=true")
    assert "pretrain/PointReach-v0: no such folder" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["highest", "medium"])
def test_matmul(main, monkeypatch, value):
    used = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", used.append)
    main(f"matmul={value}")
    assert used[-1] == value
