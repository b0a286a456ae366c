"""How all pictures look: legible at a README's width (about 900 pixels) and with colour-blind eyes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

WIDTH = 9.0  # inches; 900 pixels are then 100 per inch, and 9 point letters 12 pixels high
FONT_SIZE = 9
STYLE: list[str | dict[str, Any]] = [
    "default",
    {
        "font.size": FONT_SIZE,
        "text.parse_math": False,  # a '$' in a class name is a dollar sign
        "axes.spines.top": False,
        "axes.spines.right": False,
        "savefig.dpi": 150,
    },
]
# Okabe & Ito's colours without yellow, which is too pale on white; black is the reference's.
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#0072B2")
DASHES = ("-", "--", ":", "-.")
GREY = "#777777"


def save(figure: Figure, path: Path) -> None:
    """Write a PNG file without the version of matplotlib, which would change its bytes."""
    figure.savefig(path, format="png", metadata={"Software": None})
