"""Plots the success of several runs over wall time and over environment steps.

python benchmarks/learning_curves.py --out curves.png ours=saves/FlatPJCube-v0/stats.json ...
Runs of the same name have the same colour.
"""

import argparse
import json
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

AXES = (("seconds", 60.0, "minutes"), ("env_steps", 1e6, "million environment steps"))
GOALS = (("success", "all goals"), ("success_air", "air goals"))


def main() -> None:
    """Reads stats.json files and writes one picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="NAME=STATS_JSON")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    args = parser.parse_args()
    runs = [(name, Path(path)) for name, _, path in (run.partition("=") for run in args.runs)]
    colours = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(name for name, _ in runs))}
    figure, panels = plt.subplots(2, 2, figsize=(10, 6), sharey=True, layout="constrained")
    for name, path in runs:
        rows = json.loads(path.read_text())["epochs"]
        for line, (goal, _) in zip(panels, GOALS, strict=True):
            for panel, (axis, unit, _) in zip(line, AXES, strict=True):
                x = [row[axis] / unit for row in rows]
                panel.plot(x, [row[goal] for row in rows], color=colours[name], alpha=0.8)
    for line, (_, goal_label) in zip(panels, GOALS, strict=True):
        for panel, (_, _, axis_label) in zip(line, AXES, strict=True):
            panel.set(xlabel=axis_label, ylim=(0, 1.02))
            panel.grid(alpha=0.3)
        line[0].set_ylabel(f"success, {goal_label}")
    handles = [plt.Line2D([], [], color=colour, label=name) for name, colour in colours.items()]
    panels[0][1].legend(handles=handles, loc="lower right")
    figure.savefig(args.out, dpi=110)


if __name__ == "__main__":
    main()
