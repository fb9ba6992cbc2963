"""Values `auto`, which follow the environment."""

import pytest

from grasp_func.config.load import Config
from grasp_func.training import setup
from helpers import ENV_SPEC


@pytest.mark.parametrize(("rotation", "expected"), [(None, "DDP"), (slice(2, 11), "PosePolicyNet")])
def test_actor_type_follows_the_actions(rotation, expected):
    env_spec = ENV_SPEC._replace(rotation=rotation)
    assert setup.network_spec(Config(), env_spec).actor_net_type == expected
    explicit = Config(actor_net_type="PosePolicyNet")
    assert setup.network_spec(explicit, env_spec).actor_net_type == "PosePolicyNet"


BLOCKS = {"grip_pos": slice(0, 1), "object_rot": slice(1, 3), "grip_rot": slice(3, 4)}


@pytest.mark.parametrize(
    ("names", "blocks", "excluded"),
    [
        ("auto", BLOCKS, (3, 1, 2)),
        ("auto", {}, ()),
        (["grip_pos"], BLOCKS, (0,)),
        ([], BLOCKS, ()),
    ],
)
def test_blocks_that_are_not_normalised(names, blocks, excluded):
    cfg = Config(state_norm_exclude=names)
    assert setup.ddpg_config(cfg, ENV_SPEC._replace(obs_blocks=blocks)).obs_exclude == excluded
