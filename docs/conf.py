"""Settings of the documentation site: `sphinx-build -W docs build/site`."""

import sys
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS.parent), str(DOCS)]

import command_page
import env_pages
import quickstart_notebook
from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.application import Sphinx

project = "grasp_func"
author = copyright = "the grasp_func authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["environments/gallery.md"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_use_rtype = False
copybutton_prompt_text = "$ "
default_role = "code"
highlight_language = "text"
smartquotes = False
html_theme = "furo"
html_title = "grasp_func"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
html_theme_options = {"footer_icons": []}


def _math(translator: Any, node: Any) -> None:
    """Writes an equation as MathML, which browsers show without scripts or a network."""
    display = "inline" if node.tagname == "math" else "block"
    translator.body.append(convert(node.astext(), display=display))
    raise SkipNode


def setup(app: Sphinx) -> None:
    """Writes the generated pages before Sphinx looks for pages."""
    env_pages.write(DOCS / "environments")
    (DOCS / "commands.md").write_text(command_page.commands_page(), encoding="utf-8")
    quickstart = quickstart_notebook.text_of(DOCS / "quickstart.md")
    (DOCS / "quickstart.ipynb").write_text(quickstart, encoding="utf-8")
    app.add_html_math_renderer("mathml", (_math, None), (_math, None))
