"""The cards of the shipped agents, saves/pretrain/<name>/README.md, from their evaluations.

docs/results_tables.py writes them, together with the tables of docs/results.
"""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from env_tables import rates, table

from envs.suite import SUITE
from grasp_func.config.load import load_config

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "configs" / "experiment_config.yaml"
# Settings that a run records as what they came to, not as they were given.
RESOLVED = ("workers", "matmul", "updates")
AGENTS = ROOT / "saves" / "pretrain"
RATES = ("Success", "95% interval", "Episodes")
LIMITS = (
    "It was trained in simulation only, without data of people. It has never driven hardware; "
    "docs/deployment.md says what that would take.\nObjects that are not named above have not been "
    "tried. Licence: MIT, as all of the project."
)


def agent_of(env_id: str) -> Path | None:
    """Returns the folder of the agent that was trained on an environment; None: there is none."""
    folders = (AGENTS / name for name in (env_id, SUITE[env_id].robot.name))
    agents = (folder for folder in folders if (folder / "stats.json").exists())
    return next((agent for agent in agents if _read(agent / "stats.json")["env"] == env_id), None)


def film_of(env_id: str) -> Path:
    """Returns where the film of an environment is, which docs/films.py makes."""
    return ROOT / "docs" / "images" / f"{env_id.removesuffix('-v0')}.webp"


def cards() -> Iterator[tuple[Path, str]]:
    """Yields the card of each shipped agent: its file, and what it should contain."""
    for stats in sorted(AGENTS.glob("*/stats.json")):
        yield stats.with_name("README.md"), card(stats.parent)


def overview() -> str:
    """Returns a table of the shipped agents."""
    rows = []
    for file in sorted(AGENTS.glob("*/stats.json")):
        stats = _read(file)
        here, *others = evaluations(stats)
        elsewhere = (f"{other['env']} {other['success']:.3f}" for other in others)
        rates_here = (f"{here[key]:.3f}" for key in ("success", "success_air"))
        rows.append((file.parent.name, _origin(stats), *rates_here, ", ".join(elsewhere)))
    head = ("Agent", "Origin", "All goals", "Air goals", "All goals elsewhere")
    return table(head, rows)


def card(folder: Path) -> str:
    """Returns the card of an agent in Markdown."""
    stats = _read(folder / "stats.json")
    parts = [
        f"# {folder.name}: {_origin(stats)}",
        _what(stats),
        "## Success",
        "Episodes of seed 1000, none of which was used to choose settings. Success counts at the "
        "last step.",
        *(part for result in evaluations(stats) for part in _success(result)),
        "## Training",
        table(("", ""), _training(stats)),
        "To train one in this way with the present configuration, and to repeat the evaluation:",
        _commands(folder, stats),
        "## Limits",
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def evaluations(stats: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the evaluations of the agent of a run: on its environment first, then by name."""
    folder = ROOT / "docs" / "results" / stats["env"]
    results = [_read(path) for path in folder.glob(f"seed{stats['seed']}_evaluation*.json")]
    return sorted(results, key=lambda result: (result["env"] != stats["env"], result["env"]))


def start_of(stats: dict[str, Any]) -> str:
    """Returns the agent that a run began with; later lines of its history tell of resuming."""
    if not stats["config"]["load_pretrained"]:
        return "from scratch"
    loaded, first = str(stats["history"][0]), stats["epochs"][0]
    success = loaded.rpartition("; ")[2]  # runs without an epoch 0 noted it there
    if first["epoch"] == 0:
        success = f"success {first['success']:.3f} of {first['n']} episodes, {first['phase']} phase"
    return f"from the agent in {loaded.partition(': ')[0]} ({success})"


def _origin(stats: dict[str, Any]) -> str:
    """Returns where an agent was trained; where it did not improve, it is another one's copy."""
    if stats["epochs"][-1]["epoch"] == 0:
        return f"a copy of {Path(stats['config']['load_pretrained']).name}"
    return f"trained on {stats['env']}, seed {stats['seed']}"


def _what(stats: dict[str, Any]) -> str:
    gripper = SUITE[stats["env"]].robot.name
    config = stats["config"]
    layers, width = config["actor_net_nlayers"], config["actor_net_layer_width"]
    return (
        f"A policy for the {gripper}, learned with DDPG and hindsight replay. Actor and critic "
        f"have {layers - 1} hidden layers of {width} units.\n"
        "docs/environments.md says what it observes and what its actions mean."
    )


def _success(result: dict[str, Any]) -> Iterator[str]:
    yield f"### {result['env']}"
    yield table(("Goals", *RATES), rates(result))
    groups = result.get("groups", [])
    objects = [group for group in groups if group["object"] and not group["goal"]]
    if objects:
        rows = [(group["object"], *next(iter(rates(group)))[1:]) for group in objects]
        yield table(("Object", *RATES), rows)


def _training(stats: dict[str, Any]) -> Iterator[tuple[str, str]]:
    last = stats["epochs"][-1]
    yield "Start", start_of(stats)
    yield "Seed", str(stats["seed"])
    yield "Steps", f"{last['env_steps']:,}"
    yield "Gradient steps", f"{last['updates']:,}"
    yield "Time", f"{last['seconds'] / 60:.1f} min on {stats['processes']} process(es)"
    if "commit" in stats:
        yield "Commit", f"`{stats['commit']}`"
    yield "Hash of the parameters", f"`{stats['params_hash']}`"
    yield "Settings and every epoch", "`stats.json`"
    yield "Film", f"`{film_of(stats['env']).relative_to(ROOT)}`"


def _commands(folder: Path, stats: dict[str, Any]) -> str:
    env_id, path = stats["env"], folder.relative_to(ROOT)
    train = [f"grasp-func train -n 2 --env {env_id} --set seed={stats['seed']}", *_settings(stats)]
    evaluate = f"grasp-func evaluate --env {env_id} --load {path} --ntests 1000 --seed 1000"
    return "\n".join(("```bash", " \\\n    ".join(train), evaluate, "```"))


def _settings(stats: dict[str, Any]) -> Iterator[str]:
    """Yields options for the settings of a run that the configuration has otherwise."""
    present = load_config(CONFIG, stats["env"]).model_dump(mode="json")
    for key, value in stats["config"].items():
        if key in present and value != present[key] and key not in ("seed", *RESOLVED):
            text = value if isinstance(value, str) else json.dumps(value)
            yield shlex.join(["--set", f"{key}={text}"])


def _read(path: Path) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return contents
