"""Computes a hand's eigengrasps: `python examples/make_eigengrasps.py --hand ShadowHand`."""

import os

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy loads

import argparse
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from envs.robots import ROBOTS, eigengrasps
from envs.robots.grasp_search import SEARCHES, Grasp, search

_CHUNK = 100  # tries; each process sets up all objects for each chunk
_HANDS = {spec.name: spec for spec in ROBOTS.values() if spec.name in SEARCHES}


def main() -> None:
    """Searches for stable grasps and writes the components of their postures.

    The result depends on seed and number of tries, not on the number of processes.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hand", required=True, choices=list(_HANDS))
    parser.add_argument("--tries", type=int, default=4000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--processes", type=int, default=1, metavar="P")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the environments' own")
    args = parser.parse_args()
    if args.tries < 1 or args.seed < 0 or args.processes < 1:
        parser.error("expected N >= 1, S >= 0 and P >= 1")
    spec, found, done = _HANDS[args.hand], list[Grasp](), 0
    chunks = [range(i, min(i + _CHUNK, args.tries)) for i in range(0, args.tries, _CHUNK)]
    with Pool(args.processes) as pool:
        for grasps in pool.imap(partial(_find, args.hand, args.seed), chunks):
            found += grasps
            done = min(done + _CHUNK, args.tries)
            print(f"{done} of {args.tries} tries, {len(found)} stable grasps", flush=True)
    if 2 * len(found) < len(spec.actuators):
        parser.error(f"{len(found)} grasps are too few for {len(spec.actuators)} components")
    source = f"make_eigengrasps.py --hand {args.hand} --tries {args.tries} --seed {args.seed}"
    result = eigengrasps.make(spec, np.array(found), source)
    out = args.out or eigengrasps.path(args.hand)
    out.write_text(eigengrasps.text(result), encoding="utf-8")
    print(f"{out}: explained variance {np.cumsum(result.explained_variance).round(2).tolist()}")


def _find(hand: str, seed: int, tries: range) -> list[Grasp]:
    return [grasp for grasp in search(_HANDS[hand], seed, tries) if grasp]


if __name__ == "__main__":
    main()
