"""Computes a gripper's eigengrasps: `python examples/make_eigengrasps.py --gripper ShadowHand`."""

import os

# NumPy reads these when it is imported. The work is parallel over processes, not threads.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import argparse
from functools import partial
from multiprocessing import Pool
from pathlib import Path

import numpy as np

from envs.robots import ROBOTS, eigengrasps
from envs.robots.grasp_search import SEARCHES, Grasp, search

# Tries per task of a process, which sets up all objects once per task.
_CHUNK = 100
_GRIPPERS = {spec.name: spec for spec in ROBOTS.values() if spec.name in SEARCHES}


def main() -> None:
    """Searches for stable grasps and writes the eigengrasps computed from them.

    The result depends on the seed and the number of tries, but not on the number of processes.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gripper", required=True, choices=list(_GRIPPERS))
    parser.add_argument("--tries", type=int, default=4000, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--processes", type=int, default=1, metavar="P")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: the shipped file")
    args = parser.parse_args()
    if args.tries < 1 or args.seed < 0 or args.processes < 1:
        parser.error(
            f"--tries {args.tries} --seed {args.seed} --processes {args.processes},"
            " expected N >= 1, S >= 0 and P >= 1"
        )
    spec, found, done = _GRIPPERS[args.gripper], list[Grasp](), 0
    chunks = [range(i, min(i + _CHUNK, args.tries)) for i in range(0, args.tries, _CHUNK)]
    with Pool(args.processes) as pool:
        for grasps in pool.imap(partial(_find, args.gripper, args.seed), chunks):
            found += grasps
            done = min(done + _CHUNK, args.tries)
            print(f"{done} of {args.tries} tries, {len(found)} stable grasps", flush=True)
    if 2 * len(found) < len(spec.actuators):
        parser.error(
            f"{len(found)} grasps are too few for {len(spec.actuators)} components;"
            f" increase --tries {args.tries}"
        )
    source = f"make_eigengrasps.py --gripper {args.gripper} --tries {args.tries} --seed {args.seed}"
    result = eigengrasps.make(spec, np.array(found), source)
    out = args.out or eigengrasps.path(args.gripper)
    out.write_text(eigengrasps.text(result), encoding="utf-8")
    print(f"{out}: explained variance {np.cumsum(result.explained_variance).round(2).tolist()}")


def _find(gripper: str, seed: int, tries: range) -> list[Grasp]:
    return [grasp for grasp in search(_GRIPPERS[gripper], seed, tries) if grasp]


if __name__ == "__main__":
    main()
