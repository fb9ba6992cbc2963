"""The picture of all environments can be drawn again."""

from pathlib import Path

from PIL import Image

SCRIPT = Path(__file__).parents[1] / "docs" / "contact_sheet.py"


def test_the_sheet_grows_by_rows(run_main, tmp_path):
    for n, size in ((1, (606, 253)), (4, (1818, 506))):
        arguments = ["--out", "images/sheet.png", *["FlatPJCube-v0"] * n]
        assert run_main(SCRIPT, arguments, tmp_path)[0] == 0
        assert Image.open(tmp_path / "images" / "sheet.png").size == size


def test_the_sheet_in_the_readme_is_small():
    assert (SCRIPT.parent / "images" / "environments.png").stat().st_size < 600_000
