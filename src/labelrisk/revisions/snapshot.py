"""What a study says at a revision: params, codebooks, metrics, labels, texts and students' answers, each read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, NamedTuple

import pandas as pd
from pydantic import ValidationError

from labelrisk.codebook import Codebook
from labelrisk.comparison.runs import ReadRun, runs_of
from labelrisk.corpora.prepared import SPLITS
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_frame, read_json
from labelrisk.revisions.revision import Revision

RUNS = "data/runs/all.parquet"
LABELS = ["id", "split", "label", "status"]


class Source(NamedTuple):
    """What metrics/verdict.json and metrics/sources.json say of a label source; shares, None where unknown."""

    verdict: str
    because: str
    gap: tuple[float, float, float] | None  # to the reference's macro-F1: estimate, low, high
    macro_f1: tuple[float, float, float] | None  # over test rows and seeds
    gold_labels: int | None
    cost: float | None


class Snapshot:
    """A study at a revision; what it lacks, or can't be read, is None or empty."""

    def __init__(self, revision: Revision, params: str) -> None:
        self.revision = revision
        self.params: dict[str, Any] = revision.mapping(params) or {}

    def named(self, *sections: str) -> dict[str, dict[str, Any]]:
        """Entries of sections of params.yaml that hold entries by name."""
        found: dict[str, dict[str, Any]] = {}
        for section in sections:
            entries = self.params.get(section)
            for name, entry in entries.items() if isinstance(entries, dict) else ():
                found[str(name)] = entry if isinstance(entry, dict) else {}
        return found

    @cached_property
    def labellers(self) -> list[str]:
        """Who has labels: annotators, panels and second opinions; gold left out."""
        found = self.named("annotators", "panels", "second_opinions")
        return [name for name, entry in found.items() if entry.get("kind") != "gold"]

    @cached_property
    def chat_annotators(self) -> dict[str, dict[str, Any]]:
        """The entries of annotators that are asked at an endpoint, by name; of second opinions what they ask."""
        asked = self.named("annotators") | {
            name: entry["ask"]
            for name, entry in self.named("second_opinions").items()
            if isinstance(entry.get("ask"), dict)
        }
        return {name: entry for name, entry in asked.items() if entry.get("kind") == "chat"}

    @cache  # noqa: B019 (lives as long as one command)
    def codebook(self, path: str) -> Codebook | None:
        """A codebook by its path in params.yaml."""
        content = self.revision.mapping(path)
        if content is None:
            return None
        try:
            return Codebook.model_validate(content)
        except ValidationError:
            self.revision.unread[path] = "it is no codebook"
            return None

    @cached_property
    def sources(self) -> dict[str, Source]:
        """What the metrics say of each source, in the order of the study."""
        verdicts, scores = (self._metrics(name) for name in ("verdict", "sources"))
        try:
            judged = verdicts["sources"] if verdicts else {}
            return {str(name): _source(of, scores.get(name, {})) for name, of in judged.items()}
        except (LookupError, TypeError, ValueError, AttributeError):
            self.revision.unread["metrics/verdict.json"] = "it is of another version"
            return {}

    @cached_property
    def margin_and_confidence(self) -> tuple[float, float]:
        """The accepted loss, and the level of intervals, by the verdict or params.yaml."""
        how = self._metrics("verdict") or self.params.get("evaluate") or {}
        found = (how.get(name) if isinstance(how, dict) else None for name in ("margin", "confidence"))
        margin, confidence = (float(one) if isinstance(one, (int, float)) else None for one in found)
        return 0.02 if margin is None else margin, 0.95 if confidence is None else confidence

    @cached_property
    def counted_rows(self) -> dict[str, int]:
        """How many rows each split has, by metrics/prepare.json."""
        found = self._metrics("prepare")
        return {name: found[name] for name in SPLITS if isinstance(found.get(name), int)}

    def totals(self, labeller: str) -> Mapping[str, Any]:
        """Counts, requests and cost of the labels, by metrics/annotate/NAME.json; empty where there is none."""
        return self._metrics(f"annotate/{labeller}")

    def labels(self, labeller: str) -> pd.DataFrame | None:
        """The labels file: id, split, label, status."""
        return self._frame(f"data/labels/{labeller}.parquet", LABELS)

    @cached_property
    def gold(self) -> pd.Series | None:
        """The gold labels by id, of the rows that have one; from the labels of gold, or the prepared rows."""
        names = [name for name, entry in self.named("annotators").items() if entry.get("kind") == "gold"]
        frame = self._frame(f"data/labels/{names[0]}.parquet", ["id", "label"]) if names else None
        if frame is None:
            parts = [self._frame(f"data/prepared/{split}.parquet", ["id", "gold"]) for split in SPLITS]
            known = [part.rename(columns={"gold": "label"}) for part in parts if part is not None]
            frame = pd.concat(known) if known else None
        return None if frame is None else frame.drop_duplicates("id").set_index("id")["label"].dropna()

    @property
    def texts_may_leave(self) -> bool:
        """What share.texts of params.yaml says; true where it says nothing."""
        share = self.params.get("share")
        return not isinstance(share, dict) or share.get("texts") is not False

    @cached_property
    def texts(self) -> dict[str, str]:
        """Texts by id."""
        parts = (self._frame(f"data/prepared/{split}.parquet", ["id", "text"]) for split in SPLITS)
        return {
            key: text for part in parts if part is not None for key, text in zip(part["id"], part["text"], strict=True)
        }

    @cached_property
    def classes(self) -> list[str]:
        """Label names in class order."""
        path = self.revision.file("data/prepared/labels.json")
        book = self.codebook(str(self.params.get("codebook")))
        return [str(name) for name in read_json(path)] if path else book.names if book else []

    @cached_property
    def runs(self) -> ReadRun | None:
        """The students' answers by source and seed."""
        path = self.revision.file(RUNS)
        return None if path is None else runs_of(path)

    @property
    def seeds(self) -> list[int]:
        """The seeds of params.yaml."""
        found = self.params.get("seeds")
        return [seed for seed in found if isinstance(seed, int)] if isinstance(found, list) else []

    def _metrics(self, name: str) -> dict[str, Any]:
        return self._mappings(f"metrics/{name}.json")

    @cache  # noqa: B019
    def _mappings(self, path: str) -> dict[str, Any]:
        return self.revision.mapping(path) or {}

    def _frame(self, path: str, columns: list[str]) -> pd.DataFrame | None:
        file = self.revision.file(path)
        try:
            return None if file is None else read_frame(file, columns)
        except LabelRiskError as error:
            self.revision.unread[path] = str(error)
            return None


def _source(verdict: Mapping[str, Any], scores: Mapping[str, Any]) -> Source:
    return Source(
        verdict=str(verdict["verdict"]),
        because=str(verdict["because"]),
        gap=_bounds(verdict, "difference", "low", "high"),
        macro_f1=_bounds(scores, "macro_f1", "macro_f1_low", "macro_f1_high"),
        gold_labels=verdict.get("gold_labels"),
        cost=verdict.get("cost"),
    )


def _bounds(of: Mapping[str, Any], *names: str) -> tuple[float, float, float] | None:
    found = [of.get(name) for name in names]
    if any(one is None for one in found):
        return None
    estimate, low, high = map(float, found)  # type: ignore[arg-type]
    return estimate, low, high
