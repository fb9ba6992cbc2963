"""The command `grasp-func`: its sub-commands are those of the examples."""

import importlib
import json
import sys
import tomllib

import pytest

import envs
from command_line import ENV, ROOT, TINY, call, settings
from envs.options import Options
from grasp_func.cli.commands import COMMANDS
from grasp_func.cli.main import main

AGENT = ROOT / "saves" / "pretrain" / "ParallelJaw"
SHORT = ["--load", str(AGENT), "--ntests", "2"]
EXPORT = ["export", "--load", str(AGENT), "--out", "out"]


def test_the_installed_program_is_this_function():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts["grasp-func"].partition(":")
    assert getattr(importlib.import_module(module), function) is main


def test_help_lists_each_command_on_a_line(capsys):
    assert main(["--help"]) == 0
    lines = [line.strip(" │").split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    for command, (_, summary) in COMMANDS.items():
        assert [command, summary] in lines


@pytest.mark.parametrize("command", COMMANDS)
def test_usage_names_the_command(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"Usage: grasp-func {command} [OPTIONS]" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["train", "evaluate", "export", "import_agent"])
def test_usage_of_an_example_names_its_file(name, tmp_path):
    done = call(f"{name}.py", "--help", cwd=tmp_path)
    assert f"examples/{name}.py" in "".join(done.stdout.split())


def test_the_command_trains_to_the_bits_of_the_example(tmp_path):
    """With settings as options, and with --set."""
    hashes = []
    options = [word for change in TINY for word in f"--{change.replace('_', '-')}".split("=")]
    for program, changes in ((["grasp-func", "train"], options), (["train.py"], settings())):
        folder = tmp_path / program[0]
        arguments = ["--env", ENV, *changes, "--save-dir", str(folder)]
        done = call(*program, *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        hashes.append(json.loads((folder / ENV / "stats.json").read_text())["params_hash"])
    assert hashes[0] == hashes[1]


def test_environments_are_listed_by_gripper_and_task(capsys):
    def listed(*arguments):
        assert main(["envs", *arguments]) == 0
        return [line.split()[0] for line in capsys.readouterr().out.splitlines()]

    assert listed() == list(envs.ENV_IDS)
    assert listed("--gripper", "ShadowHand", "--task", "avoid") == ["ObstacleSHCube-v0"]
    jaws = listed("--gripper", "ParallelJaw", "--task", "orient")
    assert jaws and all(env_id.startswith("FlatPJOrient") for env_id in jaws)


def test_an_unknown_argument_of_the_environment_lists_the_known_ones(tmp_path):
    arguments = ["train", "--env", ENV, "--set", "kwargs.foo=1"]
    done = call("grasp-func", *arguments, cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2 and len(err.splitlines()) == 1
    assert f"no argument foo, expected some of {', '.join(Options.__dataclass_fields__)}" in err
    assert err.count("'foo': 1") == 1


def test_a_missing_display_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    done = call("grasp-func", "evaluate", "--env", ENV, *SHORT, "--render", cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2 and len(err.splitlines()) == 1
    assert "--render" in err and "DISPLAY is not set" in err and "--record FILE" in err


def test_the_film_that_was_written_is_named(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    small = ["--set", "kwargs.render_width=64", "--set", "kwargs.render_height=48"]
    film = ["--record", "film.gif", "--filmed", "5"]
    done = call("grasp-func", "evaluate", "--env", ENV, *SHORT, *film, *small, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "film.gif: film of 2 episode(s)"
    assert (tmp_path / "film.gif").exists()


@pytest.mark.parametrize(
    ("extra", "module", "program", "arguments"),
    [
        ("video", "imageio_ffmpeg", "grasp-func", ["evaluate", *SHORT, "--record", "film.mp4"]),
        ("export", "safetensors.torch", "grasp-func", EXPORT),
        ("sb3", "stable_baselines3", "train_sb3.py", []),
    ],
)
def test_a_missing_package_names_the_extra(
    extra, module, program, arguments, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, module, None)
    done = call(program, *arguments, "--env", ENV, cwd=tmp_path)
    err = done.stderr
    assert done.returncode == 2 and len(err.splitlines()) == 1
    assert module.split(".")[0] in err and f'pip install "grasp_func[{extra}]"' in err
    assert not list(tmp_path.iterdir())


def test_another_save_dir_starts_from_the_agents_of_saves(tmp_path):
    (tmp_path / "saves").symlink_to(ROOT / "saves")
    few = ["cycles=1", "rollouts=1", "batches=1", "evals=1", "epochs=1", "confirm_episodes=0"]
    used = (*few, "load_pretrained=true", "save=false")
    changes = [word for change in used for word in ("--set", change)]
    for folder in ("saves", "mine"):
        if folder == "mine":
            (tmp_path / "mine" / "pretrain").mkdir(parents=True)
            (tmp_path / "mine" / "pretrain" / ENV).symlink_to(AGENT)
        arguments = ["--env", ENV, *changes, "--save-dir", "mine"]
        done = call("grasp-func", "train", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert f"{folder}/pretrain/{ENV}: pre-trained" in done.stdout
