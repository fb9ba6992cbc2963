"""The documentation's snippets run as they are printed, only shorter.

Python blocks run one by one, in a folder that holds a trained agent. Commands of `grasp-func` run
with settings of which a run lasts a second, each once; all others are checked for their syntax.
"""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from unittest.mock import patch

import gymnasium
import pytest

from command_line import TINY
from envs.suite import SUITE
from grasp_func.cli.main import main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Commands that need a run or another program's files first; tests of those commands cover them.
ELSEWHERE = re.compile(r"--resume|--import|--hostfile|import --from|part\.stl|dextgen\.yaml|\.\.\.")
SHORT = {
    "train": [
        *(word for change in TINY if "width" not in change for word in ("--set", change)),
        *("--set", "updates=eager"),
    ],
    "evaluate": ["--ntests", "2"],
}
SHORT_CODE = {"learn(100_000)": "learn(110)", "learning_starts=1000": "learning_starts=100"}
# Not installed with `dev`.
OPTIONAL = ("torchrl",)


def snippets(language):
    """Yields (page and line, text) of each fenced block in a language."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{page.name}:{line}")


def commands():
    """Yields the arguments of all different commands of `grasp-func` in blocks of bash."""
    found = {}
    for block in snippets("bash"):
        for line in block.values[0].replace("\\\n", " ").splitlines():
            _, program, arguments = line.partition("grasp-func ")
            if program and not ELSEWHERE.search(line):
                # One process: mpirun would take the place of this one.
                words = shlex.split(re.sub(r" -n \d+", "", arguments), comments=True)
                found.setdefault(tuple(words), block.id)
    return [pytest.param(words, id=f"{place} {' '.join(words)}") for words, place in found.items()]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The present folder, which holds the shipped agents and one that was trained and exported."""
    for name in ("configs", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "saves", tmp_path / "saves")
    shutil.copytree(ROOT / "saves/pretrain/ParallelJaw", tmp_path / "saves/FlatPJCube-v0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return tmp_path


@pytest.mark.parametrize("code", list(snippets("python")))
def test_python_runs(code, folder):
    if "exported/" in code:
        main(["export", "--env", "FlatPJCube-v0", "--out", "exported", "--format", "torchscript"])
    for package in OPTIONAL:
        if package in code:
            pytest.importorskip(package)
    for printed, shorter in SHORT_CODE.items():
        code = code.replace(printed, shorter)
    with patch.dict(SUITE), patch.dict(gymnasium.registry):
        exec(compile(code, "snippet", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("block", list(snippets("bash")))
def test_shell_syntax(block):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)


@pytest.mark.parametrize("words", commands())
def test_commands_run(words, folder):
    assert main([*words, *SHORT.get(words[0], [])]) == 0


def test_all_pages_are_found():
    assert [page.name for page in PAGES][:2] == ["README.md", "agents.md"]
    assert {words.values[0][0] for words in commands()} >= {"train", "evaluate", "export"}
