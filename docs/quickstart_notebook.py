"""Turns a page of the site into a notebook; the site's build writes docs/quickstart.ipynb."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

PAGE_ONLY = re.compile(r"<!-- not in the notebook -->.*?<!-- end -->\n\n", re.S)
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```\n", re.M | re.S)


def notebook(page: str) -> dict[str, object]:
    """Returns a page as a notebook: blocks of bash and Python become cells that run."""
    cells: list[dict[str, object]] = []
    end = 0
    page = PAGE_ONLY.sub("", page)
    for found in BLOCK.finditer(page):
        cells += _text(page[end : found.start()])
        magic = "%%bash\n" if found[1] == "bash" else ""
        cells.append(_cell("code", magic + found[2], outputs=[], execution_count=None))
        end = found.end()
    cells += _text(page[end:])
    for i, cell in enumerate(cells):
        cell["id"] = f"cell{i}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}


def text_of(page: Path) -> str:
    """Returns the file that holds a page's notebook."""
    return json.dumps(notebook(page.read_text(encoding="utf-8")), indent=1) + "\n"


def _text(text: str) -> Iterable[dict[str, object]]:
    return [_cell("markdown", text.strip())] if text.strip() else []


def _cell(kind: str, text: str, **rest: object) -> dict[str, object]:
    return {"cell_type": kind, "metadata": {}, "source": text.rstrip(), **rest}
