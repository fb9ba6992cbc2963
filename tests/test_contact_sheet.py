"""The picture of all environments can be drawn again."""

from pathlib import Path

from PIL import Image

from command_line import call

SCRIPT = Path(__file__).parents[1] / "docs" / "contact_sheet.py"


def test_the_sheet_shows_two_moments_of_each_environment(tmp_path):
    arguments = ["--out", "images/sheet.png", "FlatPJCube-v0", "FlatPJSphere-v0"]
    done = call(SCRIPT, *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert Image.open(tmp_path / "images" / "sheet.png").size == (2 * 606, 253)


def test_the_sheet_in_the_readme_is_small():
    assert (SCRIPT.parent / "images" / "environments.png").stat().st_size < 600_000
