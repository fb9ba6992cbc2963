"""The public API: names, light imports, training and evaluation from Python."""

import ast
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import gymnasium
import numpy as np
import pytest

import grasp_func
from helpers import POINT_REACH, run_training, tiny_config


def test_public_names_exist_and_are_sorted():
    assert list(grasp_func.__all__) == sorted(grasp_func.__all__)
    assert all(hasattr(grasp_func, name) for name in grasp_func.__all__)
    assert set(grasp_func.__all__) <= set(dir(grasp_func))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = grasp_func.nonsense


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(grasp_func.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    seen = {alias.asname: f"{node.module}" for node in block.body for alias in node.names}
    assert seen == {name: f"grasp_func.{home}" for name, home in grasp_func._HOMES.items()}


def test_no_public_name_hides_a_module():
    """Otherwise `from grasp_func import NAME` depends on what was imported before."""
    names = {module.name for module in pkgutil.iter_modules(grasp_func.__path__)}
    assert not names & set(grasp_func.__all__)
    assert all(isinstance(getattr(grasp_func, n, grasp_func), ModuleType) for n in names)


@pytest.mark.parametrize(
    "code", ["pass", "grasp_func.UserError", "grasp_func.load_config", "grasp_func.Config", "dir()"]
)
def test_light_names_load_nothing_heavy(code):
    program = f"import sys, grasp_func; {code}; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout
    assert "grasp_func" in out
    assert not {"torch", "jax", "pybullet", "gymnasium"} & set(out.split())


def test_training_from_python_is_the_training_of_the_loop(eager):
    cfg, epochs, cycles, reports = tiny_config(cycles=2), [], [], []
    results = list(
        grasp_func.train(
            cfg,
            POINT_REACH,
            on_epoch=epochs.append,
            on_cycle=cycles.append,
            on_progress=reports.append,
        )
    )
    assert [result.params_hash for result in results] == [
        result.params_hash for result in run_training(cfg)
    ]
    assert epochs == results
    assert all(isinstance(cycle, grasp_func.CycleResult) for cycle in cycles)
    assert [cycle.cycle for cycle in cycles] == [1, 2, 3, 4]
    assert reports[0] == grasp_func.Progress("environment")


def test_training_writes_only_where_it_is_asked_to(eager, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    list(grasp_func.train(tiny_config(), gymnasium.make(POINT_REACH)))
    assert not list(tmp_path.iterdir()) and not capsys.readouterr().out
    list(grasp_func.train(tiny_config(), POINT_REACH, save_dir=str(tmp_path / "mine")))
    assert {"actor.pt", "stats.json", "checkpoints"} <= {
        path.name for path in (tmp_path / "mine" / POINT_REACH).iterdir()
    }
    assert not capsys.readouterr().out


def test_errors_come_before_the_first_epoch():
    with pytest.raises(grasp_func.ConfigError, match="Nowhere-v0"):
        grasp_func.train(tiny_config(), "Nowhere-v0")
    with pytest.raises(grasp_func.ConfigError, match="expected DDP"):
        grasp_func.train(tiny_config(actor_net_type="PosePolicyNet"), POINT_REACH)


def test_a_seed_is_drawn_where_none_is_given(eager):
    cfg = tiny_config(seed=None, epochs=1)
    hashes = {next(grasp_func.train(cfg, POINT_REACH)).params_hash for _ in range(2)}
    assert len(hashes) == 2


def test_evaluation_of_a_folder_and_of_its_policy(eager, tmp_path):
    cfg = tiny_config(epochs=1, kwargs={"dims": 3})
    (result,) = grasp_func.train(cfg, POINT_REACH, save_dir=tmp_path)
    folder = tmp_path / POINT_REACH
    # three dimensions: the arguments that the agent was trained with
    from_folder = grasp_func.evaluate(folder, POINT_REACH, n=2, seed=result.eval_seed)
    assert from_folder == result.eval_result
    env, policy = gymnasium.make(POINT_REACH, dims=3), grasp_func.load_policy(str(folder))
    assert grasp_func.evaluate(policy, env, n=2, seed=result.eval_seed) == from_folder
    with pytest.raises(grasp_func.SaveError, match="observation 6, goal 3"):
        grasp_func.evaluate(folder, gymnasium.make(POINT_REACH))


def test_evaluation_of_any_function():
    def perfect(obs, goal):
        return np.clip((goal - obs[:2]) / 0.2, -1, 1)

    assert grasp_func.evaluate(perfect, POINT_REACH, n=5).overall == (5, 5)
    with pytest.raises(grasp_func.UserError, match="n = 0"):
        grasp_func.evaluate(perfect, POINT_REACH, n=0)


def test_evaluation_is_at_the_true_tolerance(eager):
    """Also of an environment that training has left with a wide one."""
    env = gymnasium.make(POINT_REACH, angle_tolerance=1e-6)
    (result,) = grasp_func.train(tiny_config(epochs=1), env)
    assert result.eval_result.success == 1.0
    assert grasp_func.evaluate(lambda obs, goal: np.zeros(2), env, n=5).success == 0.0


def test_the_example_in_the_documentation_calls_public_functions():
    lines = grasp_func.__doc__.splitlines()
    example = "\n".join(line[4:] for line in lines if line.startswith("    "))
    called = {node.attr for node in ast.walk(ast.parse(example)) if isinstance(node, ast.Attribute)}
    assert {"load_config", "train", "evaluate"} <= called
    fields = {"schedule", "epoch", "eval_result", "success"}
    assert called - fields <= set(grasp_func.__all__)
