"""Grasping environments for Gymnasium; importing this package registers all ids in ENV_IDS."""

import gymnasium

from .suite import SUITE

ENV_IDS: tuple[str, ...] = tuple(SUITE)

# 2 s at 25 Hz.
_EPISODE_STEPS = 50


def register_envs() -> None:
    """Registers the environments that Gymnasium does not know yet."""
    for env_id in ENV_IDS:
        if env_id not in gymnasium.registry:
            gymnasium.register(
                id=env_id,
                entry_point=f"{__name__}.grasp_env:GraspEnv",
                max_episode_steps=_EPISODE_STEPS,
                kwargs={"env_id": env_id},
            )


register_envs()
