"""The generated pages of the site say what the environments and commands are."""

import json
import re
import sys
from pathlib import Path

import click
import gymnasium
import pytest

import envs
from command_line import TINY
from grasp_func.cli import settings
from grasp_func.cli.commands import COMMANDS, GROUP

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "docs"))

import command_page
import env_pages
import quickstart_notebook
from model_cards import AGENTS, agent_of


def last_indices(page, heading):
    """Returns the greatest index that each row of a section's first table begins with."""
    section = page.split(f"## {heading}\n")[1].split("\n## ")[0]
    return [int(found) for found in re.findall(r"^\| (?:\d+\Wto\W)?(\d+) \|", section, re.M)]


@pytest.mark.parametrize("env_id", [name for name in envs.ENV_IDS if re.search("Cube|Or", name)])
def test_the_tables_cover_all_entries(env_id):
    env = gymnasium.make(env_id)
    page = env_pages.page(env_pages.SUITE[env_id])
    assert last_indices(page, "Actions")[-1] + 1 == env.action_space.shape[0]
    assert (
        last_indices(page, "Observations")[-1] + 1 == env.observation_space["observation"].shape[0]
    )
    joints = page.split("### Joints")[1].split("\n## ")[0]
    driven = re.findall(r"action (\d+)", joints)
    assert int(driven[-1]) + 1 == env.action_space.shape[0]
    assert env_id in env_pages.gallery()
    env.close()


def test_ranges_and_results_come_from_the_code_and_its_measurements():
    page = env_pages.page(env_pages.SUITE["FlatBarrettMesh-v0"])
    assert "one of 12 concave meshes, longest edge 9.5 cm, 0.5 kg" in page
    measured = ROOT / "docs/results/FlatBarrettAll-v0/seed10_evaluation_FlatBarrettMesh.json"
    rate = json.loads(measured.read_text())["success"]
    assert f"| all | {rate:.3f} | [" in page
    assert "| `distal3` | 16 | [0,\N{NO-BREAK SPACE}0.8377] rad | 0.3333 x `medial3` |  |" in page


def test_the_page_of_an_environment_without_an_agent(monkeypatch):
    monkeypatch.setattr(env_pages, "agent_of", lambda _: None)
    page = env_pages.page(env_pages.SUITE["FlatPJCube-v0"])
    assert "No agent has been trained" in page and "train -n 2 --env FlatPJCube-v0" in page


@pytest.mark.parametrize("env_id", envs.ENV_IDS)
def test_a_film_shows_each_environment(env_id):
    film = f"images/{env_id.removesuffix('-v0')}.webp"
    player = "scripted policy" if agent_of(env_id) is None else "shipped agent"
    assert f"![The {player} plays](../{film})" in env_pages.page(env_pages.SUITE[env_id])
    assert (ROOT / "docs" / film).stat().st_size < 700_000


@pytest.mark.parametrize("card", sorted(AGENTS.glob("*/README.md")))
def test_a_card_names_an_existing_film(card):
    (film,) = re.findall(r"`(docs/images/\w+\.webp)`", card.read_text(encoding="utf-8"))
    assert (ROOT / film).exists()


def test_a_picture_shows_its_environment(tmp_path):
    env_pages.write(tmp_path)
    names = sorted(path.stem for path in tmp_path.glob("*.png"))
    assert names == sorted(envs.ENV_IDS)


def test_every_option_of_the_commands_is_listed():
    page = command_page.commands_page()
    for name in COMMANDS:
        section = page.split(f"## grasp-func {name}\n")[1].split("\n## ")[0]
        params = GROUP.resolve_command(command_page._CONTEXT, [name])[1].params
        names = {opt for param in params if isinstance(param, click.Option) for opt in param.opts}
        keys = {opt for option in settings.options() for opt in option.opts}
        expected = names - keys if name == "train" else names
        assert set(re.findall(r"^\| `(-[\w-]+)`", section, re.M)) == expected


def quickstart():
    return quickstart_notebook.notebook((ROOT / "docs/quickstart.md").read_text(encoding="utf-8"))


def test_the_notebook_holds_all_of_the_quickstart():
    cells = quickstart()["cells"]
    code = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
    assert sum(source.startswith("%%bash\ngrasp-func evaluate") for source in code) == 2
    assert sum("grasp_func.load_policy" in source for source in code) == 1
    assert cells[0]["source"].startswith("# Quickstart") and "jupyter" not in str(cells)
    written = (ROOT / "docs/quickstart.ipynb").read_text(encoding="utf-8")
    assert written == quickstart_notebook.text_of(ROOT / "docs/quickstart.md")


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    for name in ("configs", "saves/pretrain"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to(ROOT / name)
    shorter = "".join(f" --set {change}" for change in TINY if "width" not in change)
    train = '--env FlatPJCube-v0"'
    text = json.dumps(quickstart()).replace(train, f'{train[:-1]}{shorter}"')
    assert shorter in text
    book = nbformat.reads(text, as_version=4)
    nbformat.validate(book)
    nbclient.NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}).execute()
