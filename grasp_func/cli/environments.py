"""The environments of this project: no other file of grasp_func imports the package `envs`.

Another package may hide it: PyPI has one of this name, which overwrites a file of ours when it is
installed later, and `python` finds a folder `envs` beside a script before installed packages.
"""

import sys
from types import ModuleType

from grasp_func.errors import UserError

try:
    import envs as envs
    from envs import ENV_IDS as ENV_IDS
    from envs.suite import SUITE as SUITE
    from envs.suite import EnvRow as EnvRow
    from envs.tasks.goals import Avoid as Avoid
    from envs.tasks.goals import Orient as Orient
except ImportError as error:
    if (error.name or "").partition(".")[0] != "envs":
        raise
    found = ", ".join(getattr(sys.modules.get("envs"), "__path__", ["nowhere"]))
    raise UserError(
        f"{found}: a package envs that is not that of grasp_func ({error.msg}): rename it if it is "
        "a folder of yours, else run `pip uninstall envs` and install grasp_func again"
    ) from error


def windows() -> ModuleType:
    """Returns the module that opens windows; it loads PyBullet."""
    from envs.sim import window

    return window
