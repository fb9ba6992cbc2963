"""Learns grasping from sparse rewards: DDPG with hindsight replay as pure functions."""

from grasp_func.config.load import Config, load_config
from grasp_func.core.ddpg import AgentState, DDPGConfig, Learner, make_learner
from grasp_func.core.networks import Networks, NetworkSpec, make_networks
from grasp_func.core.numpy_policy import Policy, act
from grasp_func.errors import ConfigError, SaveError
from grasp_func.runtime.comm import connect
from grasp_func.runtime.workers import Workers, make_workers
from grasp_func.storage.agent import load_policy
from grasp_func.storage.agent_files import read_agent
from grasp_func.training.loop import Run, initial_state, make_run
from grasp_func.training.rollout import env_spec_of, evaluate, score

__all__ = [
    "AgentState",
    "Config",
    "ConfigError",
    "DDPGConfig",
    "Learner",
    "NetworkSpec",
    "Networks",
    "Policy",
    "Run",
    "SaveError",
    "Workers",
    "act",
    "connect",
    "env_spec_of",
    "evaluate",
    "initial_state",
    "load_config",
    "load_policy",
    "make_learner",
    "make_networks",
    "make_run",
    "make_workers",
    "read_agent",
    "score",
]
