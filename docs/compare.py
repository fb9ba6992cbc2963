"""Trains variants of a task with the same seeds and steps: `python docs/compare.py rotations`.

For each variant and seed it trains in `runs/<comparison>/<variant>/seed<seed>`, plays 1000 fresh
episodes with the best agent, and copies statistics and evaluation to docs/results/<comparison>,
where it also draws the curves. What has been done already is not done again.
docs/results_tables.py fills in the table of the page docs/results/<comparison>.md.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from publish import RESULTS, copy_stats, draw_curves, evaluated, trained


class Variant(NamedTuple):
    """An environment, and settings that differ from those that are shipped."""

    env_id: str
    settings: tuple[str, ...]


ABLATIONS: dict[str, tuple[str, ...]] = {
    "shipped": (),
    "no_symmetric_replay": ("p_symmetry=0",),
    "no_pregrasp_starts": ("pregrasp_start=0",),
    "no_easy_starts": ("pregrasp_start=0", "grasp_start=0"),
    "no_favoured_replay": ("p_moved=0", "p_lifted=0"),
}
COMPARISONS = {
    "rotations": {
        "matrix": Variant("FlatPJOrient-v0", ("epochs=12",)),
        "matrix_without_symmetric_replay": Variant(
            "FlatPJOrient-v0", ("epochs=12", "p_symmetry=0")
        ),
        "quaternion": Variant("FlatPJOrientQuat-v0", ("epochs=12",)),
        "axis_and_angle": Variant("FlatPJOrientAxisAngle-v0", ("epochs=12",)),
        "Euler_angles": Variant("FlatPJOrientEuler-v0", ("epochs=12",)),
    },
    "eigengrasps": {
        f"{n or 20}_{'eigengrasps' if n else 'joints'}": Variant(
            "FlatSHCube-v0", ("epochs=8", f"kwargs.n_eigengrasps={n}")
        )
        for n in (3, 5, 7, 0)
    },
    "pretraining": {
        f"{hand}_{start}": Variant(f"Flat{hand}Mesh-v0", ("epochs=10", *settings))
        for hand in ("PJ", "Barrett")
        for start, settings in (
            ("from_scratch", ()),
            ("from_the_cube", (f"load_pretrained=saves/pretrain/Flat{hand}Cube-v0",)),
        )
    },
    **{
        f"ablations_{task}": {
            name: Variant(f"{task}-v0", (f"epochs={epochs}", "early_stop=1", *settings))
            for name, settings in (ABLATIONS | other_penalty).items()
        }
        for task, epochs, other_penalty in (
            ("FlatPJCube", 6, {"penalty_on_actions": ("action_l2=1",)}),
            ("FlatSHCube", 8, {"no_penalty_on_actions": ("action_l2=0",)}),
        )
    },
}


def main() -> None:
    """Trains, evaluates and plots the variants of one comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=COMPARISONS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[10], metavar="S")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="train these (default: all)")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    args = parser.parse_args()
    variants = COMPARISONS[args.name]
    if unknown := set(args.only or ()) - set(variants):
        parser.error(f"{args.name} has {', '.join(variants)}, but no {', '.join(sorted(unknown))}")
    results = RESULTS / args.name
    results.mkdir(parents=True, exist_ok=True)
    for seed in args.seeds:
        for name in args.only or variants:
            env_id, settings = variants[name]
            runs = Path("runs", args.name, name, f"seed{seed}")
            folder = trained(runs, env_id, seed, args.processes, settings)
            out = results / f"{name}_seed{seed}.json"
            copy_stats(folder, out)
            evaluated(env_id, folder, out, env_id)
    draw_curves(results)


if __name__ == "__main__":
    main()
