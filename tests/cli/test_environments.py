"""A package `envs` that is not ours is named in one line."""

import os
import shutil
import subprocess
import sys

import pytest

from command_line import ENV, ROOT

OTHER = 'def env(name, default=None):\n    """Reads an environment variable."""\n'


def overwritten(folder):
    """Installs another package over ours."""
    shutil.copytree(ROOT / "envs", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "__init__.py").write_text(OTHER)


def hidden(folder):
    """Makes another package that is found first."""
    folder.mkdir()
    (folder / "__init__.py").write_text(OTHER)


@pytest.mark.parametrize(
    "arguments", [["envs"], ["train", "--env", ENV], ["evaluate", "--env", "Flat"]], ids=" ".join
)
@pytest.mark.parametrize("put", [overwritten, hidden])
def test_another_package_of_that_name(put, arguments, tmp_path):
    put(tmp_path / "envs")
    command = [sys.executable, "-m", "grasp_func", *arguments]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"error: {tmp_path}/envs: a package envs that is not that of")
    assert "pip uninstall envs" in done.stderr
    assert not (tmp_path / "saves").exists()


def test_a_missing_library_of_the_environments_is_not_mistaken_for_it(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "envs"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "grasp_func.cli.environments", raising=False)
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ModuleNotFoundError, match="gymnasium"):
        import grasp_func.cli.environments  # noqa: F401
