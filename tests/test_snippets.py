"""The documentation's snippets run as they are printed, only shorter.

Python blocks run one by one, in a folder that holds a trained agent. Commands that start an
example run with settings of which a run lasts a second; all others are checked for their syntax.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import TINY
from mpi_jobs import environment

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHORT = {
    "train.py": [word for change in TINY for word in ("--set", change)],
    "evaluate.py": ["--ntests", "2"],
    "export.py": [],
}


def snippets(language):
    """Yields (page and line, text) of each fenced block in a language."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S):
            line = text.count("\n", 0, found.start()) + 1
            yield pytest.param(found[1], id=f"{page.name}:{line}")


def commands():
    """Yields the commands of all bash blocks that start an example; tests/training resumes."""
    for block in snippets("bash"):
        text = block.values[0].replace("\\\n", " ")
        for line in text.splitlines():
            if re.search(r"examples/(train|evaluate|export)\.py", line) and "--resume" not in line:
                yield pytest.param(line, id=f"{block.id} {line[:60]}")


@pytest.fixture
def folder(tmp_path):
    """An empty folder with the examples, the shipped agents, and one agent trained and exported."""
    for name in ("examples", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "saves", tmp_path / "saves")
    shutil.copytree(ROOT / "saves/pretrain/ParallelJaw", tmp_path / "saves/FlatPJCube-v0")
    return tmp_path


def run(command, folder):
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def export(folder, out, kind):
    arguments = ["--env", "FlatPJCube-v0", "--out", out, "--format", kind]
    run([sys.executable, "examples/export.py", *arguments], folder)


@pytest.mark.parametrize("code", list(snippets("python")))
def test_python_runs(code, folder):
    if "exported/" in code or "dextgen/" in code:
        export(folder, "exported", "torchscript")
        export(folder, "dextgen", "dextgen")
        (folder / "dextgen/saves").mkdir()
        (folder / "dextgen/dextgen").rename(folder / "dextgen/saves/FlatPJCube-v0")
    run([sys.executable, "-c", code], folder)


@pytest.mark.parametrize("block", list(snippets("bash")))
def test_shell_syntax(block):
    subprocess.run(["bash", "-n"], input=block, text=True, check=True)


@pytest.mark.parametrize("command", list(commands()))
def test_commands_run(command, folder):
    words = shlex.split(command, comments=True)
    program = next(word for word in words if word.startswith("examples/"))
    arguments = words[words.index(program) + 1 :]
    run([sys.executable, program, *arguments, *SHORT[Path(program).name]], folder)


def test_all_pages_are_found():
    assert [page.name for page in PAGES][:2] == ["README.md", "architecture.md"]
