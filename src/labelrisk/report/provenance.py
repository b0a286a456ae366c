"""Where the page comes from: labels, models, versions, hashes, params; nothing that changes from run to run."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import yaml

from labelrisk.file_digests import md5_of
from labelrisk.files import read_parquet
from labelrisk.params import Settings
from labelrisk.report.metric_tables import money
from labelrisk.report.sections import Table, filled, table
from labelrisk.report.security import visible

# whose versions can change numbers
PACKAGES = ("labelrisk", "torch", "transformers", "numpy", "scipy", "scikit-learn", "pandas", "cleanlab", "mapie")


def labels_table(settings: Settings, labels: Path, totals: Mapping[str, Mapping[str, Any]]) -> Table:
    """Who labelled, with what, when and for how much; totals: of metrics/annotate/*.json."""
    header = ["annotator", "kind", "model or file", "rows", "without a label", "first answer", "last answer"]
    header += ["requests", "tokens in", "tokens out", "cost", "codebook"]
    rows = []
    for name in settings.labellers:
        asked, of = settings.asked_as(name), totals.get(name, {})
        rows.append(
            [
                name,
                getattr(asked, "kind", "panel"),
                _what(asked),
                _count(of.get("rows")),
                _count(of["rows"] - of["status"].get("ok", 0)) if "status" in of else "-",
                *_dates(labels / f"{name}.parquet"),
                *(_count(of.get(key)) for key in ("requests", "input_tokens", "output_tokens")),
                money(of.get("cost")),
                str(of.get("codebook", "-")),
            ]
        )
    shown = filled(header, rows, header[5:])
    return table("Labels: who gave them, when, and what they cost", *shown, "metrics/annotate/")


def models_table(settings: Settings) -> Table:
    """The models of this study by what they do."""
    train, embed = settings.train, settings.embed
    rows = [
        ["students", train.model, train.revision or "-", f"{train.method}, precision {train.precision}"],
        ["sentence vectors", embed.model, embed.revision or "-", f"precision {embed.precision}"],
    ]
    return table("Models", ["for", "model", "revision", "how"], rows, "params.yaml")


def hashes_table(files: Iterable[Path]) -> Table:
    """The MD5 of files that are there, as dvc.lock has it."""
    rows = [[path.as_posix(), md5_of(path)] for path in files if path.is_file()]
    return table("Inputs of this page, with their MD5 as in dvc.lock", ["file", "MD5"], rows, "dvc.lock")


def versions_table() -> Table:
    """Versions of Python and of what can change numbers."""
    rows = [["Python", platform.python_version()], *([name, found] for name in PACKAGES if (found := installed(name)))]
    return table("Versions when the page was written", ["package", "version"], rows, "requirements.lock")


def params_text(settings: Settings) -> str:
    """What params.yaml sets, without comments; keys and passwords stand in the environment alone."""
    content = settings.model_dump(mode="json", exclude_unset=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def _what(asked: Any) -> str:
    if hasattr(asked, "members"):
        return f"{asked.merge} of {', '.join(asked.members)}"
    return visible(str(getattr(asked, "model", asked.reads)))


def _dates(labels: Path) -> tuple[str, str]:
    """The days (UTC) of the first and the last answer; '-' where they are not known."""
    if not labels.is_file():
        return "-", "-"
    table = read_parquet(labels, ["id"], ["answered_at"])
    if "answered_at" not in table.column_names:
        return "-", "-"
    found = pc.min_max(table["answered_at"]).as_py()
    return tuple("-" if found[end] is None else f"{found[end]:%Y-%m-%d}" for end in ("min", "max"))  # type: ignore[return-value]


def _count(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


def installed(package: str) -> str | None:
    """The version of an installed package; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
