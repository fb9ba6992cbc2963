"""Learns grasping from sparse rewards: DDPG with hindsight replay as pure functions."""

from grasp_func.agent import load_policy
from grasp_func.comm import connect
from grasp_func.config import Config, ConfigError, load_config
from grasp_func.ddpg import AgentState, DDPGConfig, Learner, make_learner
from grasp_func.networks import Networks, NetworkSpec, make_networks
from grasp_func.policy import Policy, act
from grasp_func.rollout import evaluate, layout_of, score
from grasp_func.saves import SaveError, read_agent
from grasp_func.train import Run, initial_state, make_run
from grasp_func.workers import Workers, make_workers

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
    "evaluate",
    "initial_state",
    "layout_of",
    "load_config",
    "load_policy",
    "make_learner",
    "make_networks",
    "make_run",
    "make_workers",
    "read_agent",
    "score",
]
