"""The site of docs/: Sphinx, which is kept up and makes errors of warnings, MyST for Markdown that reads well where git
shows it, and furo, a theme for phones, dark screens and keyboards that asks no other server for anything.

Formulas become MathML, which browsers draw themselves: no script, no font, no network (_ext/mathml.py).
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent / "src")]

project = "labelrisk"
project_copyright = "the labelrisk authors"
extensions = ["myst_parser", "sphinx_copybutton", "mathml", "reference_pages"]
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nitpicky = True
suppress_warnings: list[str] = []

html_theme = "furo"
html_title = "labelrisk"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["labelrisk.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_last_updated_fmt = None
templates_path: list[str] = []
