"""What the shells offer when tab is pressed."""

import os
import shutil
import subprocess
import sys

import pytest

from command_line import COMMAND, ROOT
from envs import ENV_IDS

IN_BASH = """
compopt() { echo "compopt $1 $2"; }
source <(grasp-func completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_grasp_func_completion grasp-func
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words, shell="zsh"):
    """Returns the completions of the last word."""
    environment = {
        **os.environ,
        "COMP_WORDS": " ".join(("grasp-func", *words)),
        "COMP_CWORD": str(len(words)),
        "_GRASP_FUNC_COMPLETE": f"{shell}_complete",
    }
    done = subprocess.run(
        [sys.executable, COMMAND], env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_environments_are_completed():
    flat = completed("train", "--env", "Flat")
    assert flat[1::3] == [env_id for env_id in ENV_IDS if env_id.startswith("Flat")]
    imported = ["evaluate", "--import", "gymnasium_robotics", "--env", "Obstacle"]
    assert completed(*imported)[1::3] == ["ObstacleSHCube-v0"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["train", "--set", "batch"], ["batches=", "batch_size="]),
        (["train", "--set", "updates=c"], ["updates=compiled"]),
        (["train", "--set", "no_key="], []),
        (["train", "--updates", ""], ["auto", "eager", "traced", "compiled"]),
        (["train", "--grad-clip", ""], ["null"]),
        (["train", "--state-norm-i"], ["--state-norm-idx"]),
        (["export", "--format", "d"], ["dextgen"]),
        (["envs", "--gripper", "S"], ["ShadowHand"]),
        (["ex"], ["export"]),
    ],
)
def test_keys_values_and_commands_are_completed(words, expected):
    assert completed(*words)[1::3] == expected


def test_folders_and_files_are_left_to_the_shell():
    assert completed("train", "--save-dir", "")[0] == "dir"
    assert completed("train", "--config", "")[0] == "file"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("train --env ObstacleS", ["ObstacleSHCube-v0"]),
        ("train --set updat", ["compopt -o nospace", "updates="]),
        ("train --set updates =", ["auto", "eager", "traced", "compiled"]),
        ("train --set updates = c", ["compiled"]),
        ("train --updates = c", ["compiled"]),
    ],
)
def test_bash_completes_on_both_sides_of_the_equals_sign(words, expected, tmp_path):
    """Bash splits a line at `=`, too."""
    program = tmp_path / "grasp-func"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{COMMAND}" "$@"\n')
    program.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["bash", "-c", IN_BASH, "bash", "grasp-func", *words.split()]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.splitlines() == expected, done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_it_can_read(shell):
    script = subprocess.check_output([sys.executable, COMMAND, "completion", shell], text=True)
    assert f"_GRASP_FUNC_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
