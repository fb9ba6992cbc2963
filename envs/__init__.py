"""Grasping environments for Gymnasium: importing this package registers all of ENV_IDS."""

import gymnasium

from .suite import SUITE

ENV_IDS: tuple[str, ...] = tuple(SUITE)

_EPISODE_STEPS = 50  # 2 s at 25 Hz


def register_envs() -> None:
    """Registers every environment of ENV_IDS that Gymnasium does not know yet."""
    for env_id in ENV_IDS:
        if env_id not in gymnasium.registry:
            gymnasium.register(
                id=env_id,
                entry_point=f"{__name__}.grasp_env:GraspEnv",
                max_episode_steps=_EPISODE_STEPS,
                kwargs={"env_id": env_id},
            )


register_envs()
