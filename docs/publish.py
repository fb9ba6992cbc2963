"""Trains, evaluates and ships agents: `python docs/publish.py FlatPJCube-v0 --seeds 10 11 12`.

For each seed it trains in `runs/<id>/seed<seed>` with the shipped configuration, plays 1000 fresh
episodes, and copies statistics (with the commit) and evaluation to docs/results/<id>, where it also
draws the curves.
What has been done already is not done again, and a training that was interrupted is resumed. Of
each run the best agent is taken; `--ship SEED` also copies that one to saves/pretrain. If there is
no page docs/results/<id>.md, it is begun; docs/results_tables.py fills in its table and writes the
agent's card.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from model_cards import start_of

from grasp_func.runtime.machine import cpu_facts, useful_processes
from grasp_func.shipped import PRETRAINED
from grasp_func.storage.generation import MANIFEST
from grasp_func.storage.run_dir import BEST_FACTS, FILES, best_or_latest
from grasp_func.training.metrics import stats_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
EPISODES, EPISODE_SEED = 1000, 1000  # never used to choose settings
OPENING = (
    "Trained with the shipped configuration, {start}. The best agent was evaluated on {episodes} "
    "fresh episodes (seed {seed}), none of which was used to choose settings. Success counts at "
    "the last step; intervals are 95% Wilson intervals."
)
COMMIT = "commit"  # the file with the commit with which a training began
PAGE = """\
# {env_id}

{opening}

<!-- runs -->



<!-- end of runs -->

![success over steps]({env_id}/curves.png)

```bash
{command}
```

Times include evaluation and confirmation, but not the start of the program. Machine: {machine}. The
folder `{env_id}/` holds the statistics and evaluations.
"""


def trained(runs: Path, env_id: str, seed: int, processes: int, settings: Sequence[str]) -> Path:
    """Trains to the end in `runs`; returns the agent's folder, relative to the repository."""
    folder = runs / env_id
    stats = ROOT / folder / "stats.json"
    if finished(stats):
        return folder
    changes = [f"--set={setting}" for setting in settings]
    begin = ["--resume=auto"] if stats.exists() else [f"--set=seed={seed}", *changes]
    if not stats.exists():
        (ROOT / runs).mkdir(parents=True, exist_ok=True)
        (ROOT / runs / COMMIT).write_text(commit())
    launcher = ["mpirun", "-n", str(processes), sys.executable]
    arguments = ["--env", env_id, "--save-dir", str(runs), "--plain", *begin]
    run([*launcher, "examples/train.py", *arguments])
    if not finished(stats):
        sys.exit(f"{folder}: stopped before its end; the same command resumes it")
    return folder


def finished(stats: Path) -> bool:
    """Returns whether a run with these statistics has come to its end."""
    return stats.exists() and bool(json.loads(stats.read_text())["finished"])


def evaluated(env_id: str, folder: Path, out: Path, seen: str) -> None:
    """Plays fresh episodes with the best agent of a run; writes what they came to."""
    agent = best_or_latest(ROOT / folder).relative_to(ROOT)
    suffix = "" if env_id == seen else f"_{env_id.removesuffix('-v0')}"
    target = out.with_name(f"{out.stem}_evaluation{suffix}.json")
    if target.exists() and target.stat().st_mtime > (ROOT / agent / FILES[0]).stat().st_mtime:
        return
    episodes = ["--ntests", str(EPISODES), "--seed", str(EPISODE_SEED), "--json", str(target)]
    arguments = ["--env", env_id, "--load", str(agent), *episodes]
    run([sys.executable, "examples/evaluate.py", *arguments])


def commit() -> str:
    """Returns the commit of the repository; it ends in `-dirty` if code or settings differ."""
    git, sources = ("git", "-C", str(ROOT)), ("grasp_func", "envs", "configs", "examples")
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", *sources]).returncode
    return head.stdout[:12] + "-dirty" * bool(changed)


def copy_stats(folder: Path, out: Path) -> None:
    """Copies the statistics of a run, and puts the commit with which it began first."""
    name = (ROOT / folder).with_name(COMMIT).read_text()
    stats = (ROOT / folder / "stats.json").read_text()
    out.write_text(stats.replace("{", f'{{\n"commit": "{name}",', 1))


def ship(folder: Path, stats: dict[str, Any], target: Path) -> None:
    """Copies the best agent of a run, and the statistics up to its epoch."""
    source = best_or_latest(ROOT / folder)
    target.mkdir(parents=True, exist_ok=True)
    for name in (*FILES, MANIFEST):
        shutil.copyfile(source / name, target / name)
    if (source / BEST_FACTS).exists():
        best = json.loads((source / BEST_FACTS).read_text())
        stats = {**stats, "params_hash": best["params_hash"]}
        stats["epochs"] = [row for row in stats["epochs"] if row["epoch"] <= best["epoch"]]
    rows = stats.pop("epochs")
    (target / "stats.json").write_bytes(stats_json(stats, rows))


def begin_page(env_id: str, stats: dict[str, Any]) -> None:
    """Writes a page of results without its table, if there is none."""
    page = RESULTS / f"{env_id}.md"
    if page.exists():
        return
    cores, model = useful_processes(), cpu_facts().get("model name", "an unknown CPU")
    opening = OPENING.format(start=start_of(stats), episodes=EPISODES, seed=EPISODE_SEED)
    text = PAGE.format(
        env_id=env_id,
        opening=textwrap.fill(opening, 120, break_on_hyphens=False),
        command=shlex.join(["python", "docs/publish.py", *sys.argv[1:]]),
        machine=f"{cores} core(s) of {model}",
    )
    page.write_text(text)


def draw_curves(results: Path) -> None:
    """Plots all runs of a folder with results; `<variant>_seed<n>` is labelled `<variant>`."""
    runs = []
    for path in sorted(results.glob("*seed*.json")):
        variant = path.stem.rpartition("_seed")[0].replace("_", " ")
        if "_evaluation" not in path.name:
            runs.append(f"{variant}={path}" if variant else str(path))
    picture = str(results / "curves.png")
    run([sys.executable, "-m", "grasp_func", "plot", "--out", picture, *runs])


def run(command: Sequence[str]) -> None:
    """Runs a command in the repository; its failure ends the program."""
    print(*command, flush=True)
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})


def main() -> None:
    """Publishes one environment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("env_id", metavar="ID")
    parser.add_argument("--seeds", type=int, nargs="+", default=[10], metavar="S")
    parser.add_argument("--processes", type=int, default=2, metavar="N")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument("--also", nargs="+", default=[], metavar="ID", help="evaluate there, too")
    parser.add_argument("--ship", type=int, metavar="SEED", help="copy its agent to saves/pretrain")
    parser.add_argument("--name", help="folder there (default: the environment's id)")
    args = parser.parse_args()
    results = RESULTS / args.env_id
    results.mkdir(parents=True, exist_ok=True)
    for seed in args.seeds:
        runs = Path("runs", args.env_id, f"seed{seed}")
        folder = trained(runs, args.env_id, seed, args.processes, args.settings)
        out = results / f"seed{seed}.json"
        copy_stats(folder, out)
        begin_page(args.env_id, json.loads(out.read_text()))
        for env_id in (args.env_id, *args.also):
            evaluated(env_id, folder, out, args.env_id)
        if seed == args.ship:
            ship(folder, json.loads(out.read_text()), PRETRAINED / (args.name or args.env_id))
    draw_curves(results)


if __name__ == "__main__":
    main()
