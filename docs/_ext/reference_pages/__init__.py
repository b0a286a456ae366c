"""Writes the reference into docs/reference/ before the pages are read; what it says comes from the code itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from reference_pages.commands import commands_page
from reference_pages.params import params_page
from reference_pages.stages import stages_page


def write_pages(docs: Path) -> None:
    """Write all pages, those that are as they were left alone, so that they are not read again."""
    pages = {"params": params_page(), "commands": commands_page(), "stages": stages_page(docs.parent)}
    folder = docs / "reference"
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Write before Sphinx looks for pages."""
    app.connect("builder-inited", lambda application: write_pages(Path(application.srcdir)))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
