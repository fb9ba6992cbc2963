"""The package works under another name, as a copy inside another project."""

import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "envs"


def test_a_copy_under_another_name_works(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "other_envs", ignore=shutil.ignore_patterns("__pycache__"))
    # The entry in sys.modules makes `import envs` fail, even where the package is installed.
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); sys.modules['envs'] = None\n"
        "import gymnasium\n"
        "env = gymnasium.make('other_envs:FlatSHCube-v0', n_eigengrasps=7)\n"
        "env.reset(seed=0); env.step(env.action_space.sample())\n"
        "print('class', type(env.unwrapped).__module__)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "class other_envs.grasp_env" in run.stdout
