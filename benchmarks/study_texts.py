"""The texts of studies/, from data sets beside the project: texts.csv of each, which stays out of git.

policy_uk   descriptions of UK Acts, the seven most frequent policy areas, with six models' labels
babe        news sentences, with Mistral-7B's answers to eight prompts

    python benchmarks/study_texts.py [policy_uk babe]

--pipeline writes what DVC needs in each instead, as `labelrisk init` writes it for a folder of this project: after an
edit of the project's dvc.yaml or .dvc.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from findings_studies import babe
from papers_conditions import FILES, texts
from study_folders import ROOT, SHARED

from labelrisk.files import written_aside
from labelrisk.new_study.pipeline_text import pipeline_text
from labelrisk.new_study.repository import Repository
from labelrisk.new_study.study_files import dvc_files
from labelrisk.new_study.template import Template

STUDIES = ROOT / "studies"
TEXTS = "texts.csv"


def _policy_uk() -> pd.DataFrame:
    params: dict[str, Any] = yaml.safe_load((STUDIES / "policy_uk" / "params.yaml").read_text(encoding="utf-8"))
    return texts("policy", params)


ROWS: dict[str, tuple[str, Callable[[], pd.DataFrame]]] = {  # study: folder of the data set, rows
    "policy_uk": (FILES["policy"], _policy_uk),
    "babe": (FILES["babe"], babe),
}


def write_texts(name: str, out: Path) -> None:
    """Write the texts of one study.

    Raises FileNotFoundError where its data set is not there.
    """
    folder, rows = ROWS[name]
    data = SHARED / folder / "data.parquet"
    if not data.is_file():
        raise FileNotFoundError(f"{data} is not there; bring the data set {folder}, without which {name} can't run")
    with written_aside(out) as temporary:
        rows().to_csv(temporary, index=False)


def pipeline(name: str) -> dict[Path, str]:
    """dvc.yaml and DVC's settings of a study in studies/, whose .dvc/plots is a link to the project's."""
    text = pipeline_text((ROOT / "dvc.yaml").read_text(encoding="utf-8"), "../../.labelrisk", "../../src")
    files = dvc_files(STUDIES / name, Repository(ROOT, ROOT), Template(ROOT, ROOT))
    settings = {path: str(content) for path, content in files.items() if path.parent.name == ".dvc"}
    return {STUDIES / name / "dvc.yaml": text, **settings}


def main() -> int:
    """Write the texts of the studies that are asked for; one sentence and exit code 1 where a data set is absent."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="STUDY", help=f"of {', '.join(ROWS)} (default: all)")
    parser.add_argument("--pipeline", action="store_true", help="dvc.yaml instead of the texts")
    asked = parser.parse_args()
    for name in asked.names or ROWS:
        if name not in ROWS:
            parser.error(f"there is no study '{name}'; use one of: {', '.join(ROWS)}")
        if asked.pipeline:
            for path, content in pipeline(name).items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            continue
        out = STUDIES / name / TEXTS
        try:
            write_texts(name, out)
        except FileNotFoundError as error:
            print(f"study_texts: {error}", file=sys.stderr)
            return 1
        print(f"{out.relative_to(ROOT)}: {len(pd.read_csv(out)):,} texts")
    return 0


if __name__ == "__main__":
    sys.exit(main())
