"""Learns grasping from sparse rewards: DDPG with hindsight replay as pure functions.

    cfg = grasp_func.load_config(grasp_func.DEFAULT_CONFIG, "FlatPJCube-v0")
    for result in grasp_func.train(cfg, "envs:FlatPJCube-v0", save_dir="saves"):
        print(result.schedule.epoch, result.eval_result.success)
    grasp_func.evaluate("saves/FlatPJCube-v0/best", "envs:FlatPJCube-v0", n=100, seed=0)

Names are imported when they are first used, so that `import grasp_func` loads neither torch nor
jax.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grasp_func.api import evaluate as evaluate
    from grasp_func.api import load_policy as load_policy
    from grasp_func.api import train as train
    from grasp_func.config.load import load_config as load_config
    from grasp_func.config.schema import Config as Config
    from grasp_func.core.ddpg import AgentState as AgentState
    from grasp_func.core.numpy_policy import Policy as Policy
    from grasp_func.core.types import EnvSpec as EnvSpec
    from grasp_func.errors import CompileError as CompileError
    from grasp_func.errors import ConfigError as ConfigError
    from grasp_func.errors import SaveError as SaveError
    from grasp_func.errors import UserError as UserError
    from grasp_func.shipped import DEFAULT_CONFIG as DEFAULT_CONFIG
    from grasp_func.shipped import PRETRAINED as PRETRAINED
    from grasp_func.training.episode_result import EpisodeResult as EpisodeResult
    from grasp_func.training.evaluation import EvalResult as EvalResult
    from grasp_func.training.evaluation import Spread as Spread
    from grasp_func.training.goal_env import GoalEnv as GoalEnv
    from grasp_func.training.goal_env import GymGoalEnv as GymGoalEnv
    from grasp_func.training.loop import EpochResult as EpochResult
    from grasp_func.training.progress import CycleResult as CycleResult
    from grasp_func.training.progress import Progress as Progress
    from grasp_func.training.rate import Rate as Rate
    from grasp_func.training.schedule import ScheduleState as ScheduleState

_MODULES = {
    "api": ("evaluate", "load_policy", "train"),
    "config.load": ("load_config",),
    "config.schema": ("Config",),
    "core.ddpg": ("AgentState",),
    "core.numpy_policy": ("Policy",),
    "core.types": ("EnvSpec",),
    "errors": ("CompileError", "ConfigError", "SaveError", "UserError"),
    "shipped": ("DEFAULT_CONFIG", "PRETRAINED"),
    "training.episode_result": ("EpisodeResult",),
    "training.evaluation": ("EvalResult", "Spread"),
    "training.goal_env": ("GoalEnv", "GymGoalEnv"),
    "training.loop": ("EpochResult",),
    "training.progress": ("CycleResult", "Progress"),
    "training.rate": ("Rate",),
    "training.schedule": ("ScheduleState",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """Imports a public name."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Lists the public names."""
    return [*globals(), *__all__]
