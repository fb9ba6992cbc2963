"""Times one gradient step of the ShadowHand's agent beside other implementations.

Batch 256, observation 60, goal 3, action 19, three hidden layers of 256, one core, target update
included. Compared with the imperative form at PyTorch's defaults, the same mathematics in jax.jit,
and the time that its matrix products alone take at the speed measured in the same round.
"""

import argparse
import os
import statistics
import sys
from functools import partial
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

# So that it runs from a checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import side_by_side

side_by_side.one_core()

import in_jax
import jax
import jax.numpy as jnp
import torch
from imperative import Learner

from grasp_func.core.ddpg import DDPGConfig, make_learner
from grasp_func.core.jit import Jit, eager, trace
from grasp_func.core.networks import NetworkSpec, make_networks
from grasp_func.core.rng import Key
from grasp_func.core.types import EnvSpec, Transition
from grasp_func.runtime import matmul_precision
from grasp_func.runtime.aot import compile_graph
from grasp_func.runtime.process import tune_process

BATCH, WIDTH = 256, 256
ENV_SPEC = EnvSpec(60, 3, 19, slice(3, 12), {}, 50)


def make_batch(seed: int) -> Transition:
    """Draws a batch."""
    rng = torch.Generator().manual_seed(seed)
    sizes = (ENV_SPEC.obs, ENV_SPEC.goal, ENV_SPEC.action, 1, ENV_SPEC.obs)
    fields = [torch.rand(BATCH, n, generator=rng) * 2 - 1 for n in sizes]
    return Transition(*fields)._replace(reward=-(fields[3] > 0).float())


def ours(precision: str, batches: list[Transition], jit: Jit) -> Any:
    """Returns a function that takes one step of this package."""
    learner = make_learner(make_networks(ENV_SPEC, NetworkSpec()), ENV_SPEC, DDPGConfig(), jit=jit)
    state, source = learner.init(Key(0)), cycle(batches)

    def step() -> None:
        nonlocal state
        torch.set_float32_matmul_precision(precision)
        state = learner.soft_update_targets(learner.update(state, [next(source)])[0])
        torch.set_float32_matmul_precision("highest")

    return step


def imperative(batches: list[Transition]) -> Any:
    """Returns a function that takes one step of the imperative form."""
    learner, source = Learner(ENV_SPEC, NetworkSpec()), cycle(batches)

    def step() -> None:
        learner.update(*(field.numpy() for field in next(source)))
        learner.soft_update_targets()

    return step


def in_xla(batches: list[Transition]) -> Any:
    """Returns a function that takes one step in JAX."""
    compiled, state = in_jax.make_step(widths_of())
    scales = [(jnp.zeros(n), jnp.ones(n)) for n in (ENV_SPEC.obs, ENV_SPEC.goal)]
    source = cycle([tuple(jnp.asarray(field.numpy()) for field in batch) for batch in batches])

    def step() -> None:
        nonlocal state
        state = jax.block_until_ready(compiled(state, scales, next(source)))

    return step


def widths_of() -> dict[str, list[int]]:
    """Returns the widths of both networks' layers, inputs first."""
    inputs = ENV_SPEC.obs + ENV_SPEC.goal
    hidden = [WIDTH] * 3
    actor = [inputs, *hidden, ENV_SPEC.action - 3]
    return {"actor": actor, "critic": [inputs + ENV_SPEC.action, *hidden, 1]}


def product_flops() -> float:
    """Returns the floating-point operations of a step's matrix products.

    Forward: actor and critic of the targets, actor, critic of both its losses. Backward: weights of
    both networks; inputs of all but the first layers; the critic's inputs once more for the actor.
    """
    flops = {
        name: [2.0 * BATCH * a * b for a, b in pairwise(widths)]
        for name, widths in widths_of().items()
    }
    actor, critic = flops["actor"], flops["critic"]
    forward = 2 * sum(actor) + 3 * sum(critic)
    backward = 2 * sum(actor) - actor[0] + 2 * sum(critic) - critic[0]
    return forward + backward + sum(critic[1:]) + 2.0 * BATCH * WIDTH * ENV_SPEC.action


def products(precision: str, n: int = 20) -> Any:
    """Returns a function that multiplies square matrices `n` times."""
    a, b = torch.rand(BATCH, WIDTH), torch.rand(WIDTH, WIDTH)
    out = torch.empty(BATCH, WIDTH)

    def run() -> None:
        torch.set_float32_matmul_precision(precision)
        for _ in range(n):
            torch.mm(a, b, out=out)
        torch.set_float32_matmul_precision("highest")

    return run


def main() -> None:
    """Prints a table of medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    args = parser.parse_args()
    tune_process()
    choice = matmul_precision.choose()
    other = "medium" if choice == "highest" else "highest"
    batches = [make_batch(seed) for seed in range(10)]
    exact = (
        [choice]
        if matmul_precision.error_of(other) >= matmul_precision.MAX_ERROR
        else [choice, other]
    )
    compiled = partial(trace, build=compile_graph)
    rows = {}
    for kind, jit in (("traced", trace), ("compiled", compiled), ("eager", eager)):
        rows |= {f"{kind}, matmul {name}": ours(name, batches, jit) for name in exact}
    first, second = f"traced, matmul {choice}", f"compiled, matmul {choice}"
    rows["imperative, torch.optim.Adam"] = imperative(batches)
    rows["jax.jit, same mathematics"] = in_xla(batches)
    peaks = {f"20 products, matmul {name}": products(name) for name in exact}
    seconds = side_by_side.take_turns(rows | peaks, args.rounds)
    per_flop = 1 / (20 * 2.0 * BATCH * WIDTH * WIDTH)
    fastest = min(peaks, key=lambda name: statistics.median(seconds[name]))
    seconds["matrix products alone, at peak"] = [
        s * per_flop * product_flops() for s in seconds[fastest]
    ]
    peak = 1e-9 / (statistics.median(seconds[fastest]) * per_flop)
    print(f"{side_by_side.conditions()}; one core, CPU time, {args.rounds} rounds in turns")
    print(f"products: {product_flops() / 1e6:.0f} MFLOP a step, peak {peak:.0f} GFLOP/s")
    print(f"{'':<34}{'median ms':>10}{'min ms':>9}{'/ traced':>12}{'/ compiled':>12}")
    for name in (*rows, "matrix products alone, at peak"):
        times = seconds[name]
        ratios = [side_by_side.ratio(times, seconds[base]) for base in (first, second)]
        print(f"{name:<34}{statistics.median(times) * 1e3:>10.2f}{min(times) * 1e3:>9.2f}", end="")
        print("".join(f"{ratio:>12.2f}" for ratio in ratios))


if __name__ == "__main__":
    main()
