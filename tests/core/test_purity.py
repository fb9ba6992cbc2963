"""Every public function of the core: equal inputs give equal outputs and stay unchanged."""

import dataclasses
import enum
import inspect
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from grasp_func import core
from grasp_func.core import (
    ddpg,
    jit,
    losses,
    networks,
    noise,
    normalizer,
    numpy_policy,
    optim,
    replay,
    rng,
    rotations,
    symmetry,
    tree,
    types,
)
from helpers import ENV_SPEC, assert_pure, make_batch

CORE = (
    *(types, tree, rng, optim, normalizer, rotations, networks, losses),
    *(numpy_policy, noise, symmetry, replay, jit, ddpg),
)
EXEMPT = {
    "networks.make_networks": "builds the functions of Networks",
    "optim.adam": "builds the functions of Optimizer",
    "ddpg.make_learner": "builds the functions of Learner",
    "noise.make_noise_process": "builds a function that advances the generator it is given",
    "jit.eager": "returns what it is given",
    "jit.run_trace": "builds the function that tests of `trace` run",
    "jit.trace": "builds a function that remembers its traces",
    "replay.ReplayBuffer": "the one mutable store",
}

KEY = rng.Key(3, (1, 2))
SOLID = make_batch(ENV_SPEC._replace(obs=3, goal=3, action=3))
SOLID_SYMMETRY = types.Symmetry(*[symmetry.make_vector_symmetry([("point", 3)], (0.5, 0.0))] * 3)
BATCH, OTHER = make_batch(seed=0), make_batch(seed=1)
X = torch.cat([BATCH.obs, BATCH.goal], dim=1)
OBS, GOAL, ACTION = (field[0].numpy() for field in (BATCH.obs, BATCH.goal, BATCH.action))

NETS = networks.make_networks(ENV_SPEC, networks.NetworkSpec("PosePolicyNet", 2, 8, 2, 8))
PARAMS = NETS.init(KEY)
ACTOR, CRITIC = PARAMS["actor"], PARAMS["critic"]
FLAT, UNRAVEL = tree.ravel(PARAMS)
HALVES = (slice(0, 9), slice(9, len(FLAT)))
ADAM = optim.adam([(HALVES[0], 0.1), (HALVES[1], 0.2)])

EAGER, TRACED = (
    ddpg.make_learner(NETS, ENV_SPEC, ddpg.DDPGConfig(obs_exclude=(1,)), jit=jit_)
    for jit_ in (jit.eager, jit.trace)
)
GRADIENT = ddpg.make_gradient(NETS, UNRAVEL, ddpg.DDPGConfig())
MOMENTS = normalizer.batch_moments(BATCH.obs), normalizer.batch_moments(BATCH.goal)
STATE = EAGER.update_normalizers(EAGER.init(KEY), *MOMENTS).replace(target=FLAT + 0.1)
SCALES = EAGER.scalings(STATE)

UNIFORM = noise.make_noise_process("Uniform", {})
NOISE = noise.draw_noise(KEY, 10, ENV_SPEC.action, noise.Exploration(), UNIFORM)
SAMPLING = replay.ReplaySampling(4.0, 0.5, 0.5)
FLAGS = np.array([True, False, True]), np.array([False, False, True])
INDICES = replay.draw_indices(KEY, 10, 20, SAMPLING, *FLAGS)
BUFFER = replay.ReplayBuffer(ENV_SPEC, 40)
for _number in range(3):
    _draw = rng.numpy_rng(rng.fold_in(KEY, _number)).normal
    BUFFER.append(types.Episode(*(_draw(size=field.shape[1:]) for field in BUFFER.episodes)))


def square_reward(achieved, desired, info):
    return -np.square(achieved - desired).sum(-1)


CASES = [  # (name, function, inputs)
    ("types.as_float32", types.as_float32, [np.arange(3.0), [1, 2, 3]]),
    ("tree.ravel", lambda params: tree.ravel(params)[0], PARAMS),
    ("tree.ravel: unravel", UNRAVEL, FLAT),
    ("tree.flatten", tree.flatten, PARAMS),
    ("tree.polyak", tree.polyak, FLAT, FLAT + 1, 0.3),
    ("rng.fold_in", rng.fold_in, KEY, 4, 5),
    ("rng.numpy_rng", rng.numpy_rng, KEY),
    ("rng.integer_seed", rng.integer_seed, KEY),
    ("rng.torch_rng", rng.torch_rng, KEY),
    ("Optimizer.init", ADAM.init, FLAT),
    ("Optimizer.update", ADAM.update, FLAT, STATE.opt, FLAT + 1, 0.5),
    ("optim.clip_by_norm", optim.clip_by_norm, FLAT, HALVES, 0.1),
    ("normalizer.init", normalizer.init, 3),
    ("normalizer.batch_moments", normalizer.batch_moments, BATCH.obs),
    ("normalizer.merge", normalizer.merge, MOMENTS[0], normalizer.batch_moments(OTHER.obs)),
    ("normalizer.scaling", normalizer.scaling, MOMENTS[1], 2.0, (1,)),
    ("normalizer.normalize", normalizer.normalize, BATCH.obs, SCALES[0]),
    ("rotations.embedding_to_matrix", rotations.embedding_to_matrix, torch.zeros(2, 6)),
    ("rotations.matrix_to_embedding", rotations.matrix_to_embedding, torch.eye(3)),
    ("networks.layers_of", networks.layers_of, ACTOR),
    ("networks.head_sizes", networks.head_sizes, 19, slice(3, 12)),
    ("networks.n_products", networks.n_products, (0, 2, 3, 6)),
    ("networks.with_products", networks.with_products, X, [0, 2, 3, 6]),
    ("networks.mlp", networks.mlp, networks.layers_of(ACTOR), X),
    ("networks.actor_forward", networks.actor_forward, networks.layers_of(ACTOR), X, [2, 6, 0]),
    ("Networks.init", NETS.init, KEY),
    ("Networks.actor", NETS.actor, ACTOR, X),
    ("Networks.critic", NETS.critic, CRITIC, X, BATCH.action),
    ("losses.td_target", losses.td_target, BATCH.reward, BATCH.reward * 3, 0.9),
    (
        "losses.critic_loss",
        partial(losses.critic_loss, nets=NETS),
        *(CRITIC, X, BATCH.action, BATCH.reward),
    ),
    (
        "losses.actor_loss",
        partial(losses.actor_loss, nets=NETS, action_norm=1.0, action_l2=1.0),
        *(ACTOR, CRITIC, X),
    ),
    ("symmetry.make_vector_symmetry", symmetry.make_vector_symmetry, [("point", 3)], (0.5, 0.0)),
    ("symmetry.transform", symmetry.transform, SOLID, KEY, SOLID_SYMMETRY, 0.5),
    (
        "symmetry.apply",
        *(symmetry.apply, SOLID.obs, np.ones((8, 1)), np.ones((8, 0, 1), bool)),
        SOLID_SYMMETRY.obs,
    ),
    ("numpy_policy.make_policy", numpy_policy.make_policy, ACTOR, *SCALES, ENV_SPEC.rotation),
    ("numpy_policy.policy_of", numpy_policy.policy_of, NETS, ACTOR, SCALES),
    ("numpy_policy.act", numpy_policy.act, numpy_policy.policy_of(NETS, ACTOR, SCALES), OBS, GOAL),
    (
        "noise.draw_noise",
        noise.draw_noise,
        *(KEY, 10, 3, noise.Exploration(p_low_noise=0.5), UNIFORM),
    ),
    ("noise.explore", noise.explore, ACTION, NOISE, 3, 1.0),
    ("replay.buffer_bytes", replay.buffer_bytes, ENV_SPEC, 40),
    ("replay.progress", replay.progress, BUFFER.episodes.achieved[0]),
    ("replay.draw_indices", replay.draw_indices, KEY, 10, 20, SAMPLING, *FLAGS),
    ("replay.gather", replay.gather, BUFFER.episodes, INDICES, square_reward),
    ("replay.draw_batches", replay.draw_batches, BUFFER, KEY, 2, 8, SAMPLING, square_reward),
    ("ddpg.mean_of_workers", ddpg.mean_of_workers, list(BATCH.obs)),
    ("ddpg.make_gradient", torch.no_grad()(GRADIENT), STATE, BATCH),
    ("ddpg.make_gradient: traced", jit.trace(GRADIENT), STATE, BATCH),
    ("Learner.init", EAGER.init, KEY),
    ("Learner.update", EAGER.update, STATE, [BATCH, OTHER]),
    ("Learner.update: traced", TRACED.update, STATE, [BATCH, OTHER]),
    ("Learner.soft_update_targets", EAGER.soft_update_targets, STATE),
    ("Learner.update_normalizers", EAGER.update_normalizers, STATE, *MOMENTS),
    ("Learner.scalings", EAGER.scalings, STATE),
    ("Learner.unravel", EAGER.unravel, FLAT),
    ("Learner.agent", EAGER.agent, STATE),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_is_pure(case):
    _, function, *inputs = case
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    assert_pure(function, *inputs)
    drawn = np.random.random(), float(torch.rand(()))  # noqa: NPY002
    assert drawn == pytest.approx((0.5488135, 0.4962566), abs=1e-6), "a global generator was used"


def public_names(module):
    """Yields the functions that a module defines, and its classes with methods of their own."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        is_class = inspect.isclass(value)
        is_data = is_class and (
            dataclasses.is_dataclass(value) or issubclass(value, tuple | enum.Enum)
        )
        if inspect.isfunction(value) or (is_class and not is_data):
            yield f"{module.__name__.split('.')[-1]}.{name}"


def test_no_public_function_of_the_core_is_left_out():
    found = {name for module in CORE for name in public_names(module)}
    for record in (networks.Networks, optim.Optimizer, ddpg.Learner):
        found |= {f"{record.__name__}.{field}" for field in record._fields}
    # Not functions.
    found -= {"Networks.rotation", "Networks.products", "Learner.products"}
    cases = {name.split(":")[0] for name, *_ in CASES}
    assert not cases & set(EXEMPT)
    assert found == cases | set(EXEMPT)


def test_every_module_of_the_core_is_tested():
    found = {path.stem for path in Path(core.__path__[0]).glob("*.py")} - {"__init__"}
    assert found == {module.__name__.split(".")[-1] for module in CORE}
