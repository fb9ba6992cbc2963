"""Writes the tables of docs/results from its JSON files: `python docs/results_tables.py`.

A folder holds for each run the statistics `<run>.json` (stats.json of the run), and
`<run>_evaluation.json` (of `evaluate --json`). A page has the table of its runs between two
comments. docs/results/README.md lists all environments. The shipped agents' cards are written, too
(model_cards.py). `--check` writes nothing, and fails if a file would change.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from env_tables import table
from model_cards import cards, overview

RESULTS = Path(__file__).parent / "results"
TABLE = re.compile(r"(?<=<!-- runs -->\n\n).*?(?=\n\n<!-- end of runs -->)", re.DOTALL)
GOALS = {"success": "All goals", "success_table": "Table goals", "success_air": "Air goals"}


class Run(NamedTuple):
    """A run, at its end, and the evaluation of its agent."""

    name: str
    stats: dict[str, Any]
    evaluation: dict[str, Any]

    @property
    def last(self) -> dict[str, Any]:
        """The statistics of the last epoch."""
        row: dict[str, Any] = self.stats["epochs"][-1]
        return row

    @property
    def epochs(self) -> str:
        """The number of epochs, and the one of the best agent, unless it is the last."""
        last = self.last["epoch"]
        best = next((row["epoch"] for row in self.stats["epochs"][::-1] if row.get("best")), last)
        return str(last) if best == last else f"{last}, agent of {best}"

    @property
    def minutes(self) -> float:
        """Minutes of training, evaluations included."""
        return float(self.last["seconds"]) / 60

    @property
    def cores(self) -> str:
        """The number of processes and of workers."""
        return f"{self.stats['processes']} for {self.stats['workers']}"


def runs_of(folder: Path) -> list[Run]:
    """Returns the evaluated runs of a folder, by name."""
    runs = []
    for path in folder.glob("*.json"):
        evaluation = path.with_name(f"{path.stem}_evaluation.json")
        if evaluation.exists():
            contents = (json.loads(file.read_text()) for file in (path, evaluation))
            runs.append(Run(path.stem, *contents))
    # Seed 10 comes after seed 2.
    return sorted(runs, key=lambda run: re.sub(r"\d+", lambda n: n[0].zfill(3), run.name))


def run_table(runs: Sequence[Run]) -> str:
    """Returns the table of an environment's runs."""
    head = ["Run", "Processes for workers", "Epochs", "Steps", "Updates", "Time", *GOALS.values()]
    rows = [
        [
            run.name.replace("_", " "),
            run.cores,
            run.epochs,
            f"{run.last['env_steps']:,}",
            f"{run.last['updates']:,}",
            f"{run.minutes:.1f} min",
            *(rate(run.evaluation, goal) for goal in GOALS),
        ]
        for run in runs
    ]
    return table(head, rows)


def rate(evaluation: dict[str, Any], goal: str) -> str:
    """Returns a success rate with its 95% Wilson interval."""
    if evaluation.get(goal) is None:
        return "-"
    low, high = evaluation[f"{goal}_low"], evaluation[f"{goal}_high"]
    return f"{evaluation[goal]:.3f} [{low:.3f}, {high:.3f}]"


def index_table(pages: dict[str, Sequence[Run]]) -> str:
    """Returns the table of all environments: ranges over their runs."""
    head = ["Environment", "Runs", "Workers", "Steps", "Time", "All goals", "Air goals"]
    rows = []
    for env_id, runs in pages.items():
        spans = (
            span([run.last["env_steps"] / 1e6 for run in runs], "{:.2f}") + " M",
            span([run.minutes for run in runs], "{:.1f}") + " min",
            *(
                span([run.evaluation[goal] for run in runs], "{:.3f}")
                for goal in ("success", "success_air")
            ),
        )
        workers = span([run.stats["workers"] for run in runs], "{}")
        rows.append([f"[{env_id}]({env_id}.md)", str(len(runs)), workers, *spans])
    return table(head, rows)


def span(values: Sequence[float], form: str) -> str:
    """Returns the least and the greatest value, once if they are written alike."""
    ends = dict.fromkeys(form.format(value) for value in (min(values), max(values)))
    return " to ".join(ends)


def written() -> Iterator[tuple[Path, str]]:
    """Yields the files that hold tables, and what they should contain."""
    pages = {}
    for folder in sorted(path for path in RESULTS.iterdir() if path.is_dir()):
        page, runs = folder.with_suffix(".md"), runs_of(folder)
        if folder.name.endswith("-v0"):
            pages[folder.name] = runs
        yield page, TABLE.sub(lambda _, runs=runs: run_table(runs), page.read_text())
    index = RESULTS / "README.md"
    yield index, TABLE.sub(lambda _: index_table(pages), index.read_text())
    agents = RESULTS.parent / "agents.md"
    yield agents, TABLE.sub(lambda _: overview(), agents.read_text())
    yield from cards()


def main() -> None:
    """Writes or checks the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only fail if a file would change")
    changed = [
        (path, text)
        for path, text in written()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if parser.parse_args().check:
        sys.exit("\n".join(f"{path}: run docs/results_tables.py" for path, _ in changed) or 0)
    for path, text in changed:
        path.write_text(text, encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
