"""prepare reads some rows at a time: what it writes and says is what came of all rows in one frame."""

import json
import random

import pandas as pd
import prepare_reference
import pytest
from study_files import params, write_study

from labelrisk.corpora import delimited, json_lines, parquet_files
from labelrisk.corpora.rows import content_id
from labelrisk.errors import LabelRiskError
from labelrisk.params import load
from labelrisk.stages import prepare


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """So many rows that small corpora come in many parts."""
    monkeypatch.setattr(delimited, "ROWS_AT_ONCE", 5)
    for module in (delimited, json_lines, parquet_files):
        monkeypatch.setattr(module, "ROWS_OF_PART", 7)


WORDS = [
    "rain",
    "sun",
    "wind",
    "soup",
    "bread",
    "caf\u00e9",
    "cafe\u0301",
    "na\u00efve",
    "\U0001f642",
    "\u6771\u4eac",
    "x",
]
FORMATS = ("csv", "tsv", "jsonl", "parquet")


def corpus(draw: random.Random, mistake: str | None) -> pd.DataFrame:
    """Rows with copies, gold and none, in splits or in none, some of another language."""
    rows = draw.choice([60, 150, 300])
    said = [" ".join(draw.choices(WORDS, k=draw.randint(1, 5))) for _ in range(rows)]
    of_text: dict[str, str] = {}
    declares = draw.random() < 0.5
    found = []
    for text in said:
        written = draw.choice(["{}", " {}", "{}\u00a0", "{}"]).format(text.replace(" ", draw.choice([" ", "  ", "\t"])))
        gold = of_text.setdefault(content_id(text), draw.choice(["weather", "food"]))
        split = draw.choice(["train", "train", "validation", "test"]) if declares else None
        if split in (None, "train") and draw.random() < 0.3:
            gold = None
        found.append([written, gold, split, draw.choice(["en", "en", "de"]), draw.choice(["a", " b", None, "c"])])
    frame = pd.DataFrame(found, columns=["text", "gold", "split", "language", "outlet"]).astype(object)
    for at in draw.sample(range(rows), draw.choice([1, 2, 5])):
        if mistake == "label":
            frame.loc[at, "gold"] = "wether"
        elif mistake == "blank":
            frame.loc[at, "text"] = draw.choice([None, "\u200b", " "])
        elif mistake == "split":
            frame.loc[at, "split"] = "tset"
        elif mistake == "ungraded":
            frame.loc[at, ["gold", "split"]] = [None, "test"]
        elif mistake == "two":
            frame.loc[at, ["text", "gold"]] = [
                said[at],
                {"weather": "food"}.get(of_text[content_id(said[at])], "weather"),
            ]
            frame.loc[(at + 9) % rows, ["text", "gold"]] = [said[at] + " ", of_text[content_id(said[at])]]
    return frame


def write(frame: pd.DataFrame, path) -> None:
    if path.suffix == ".jsonl":
        lines = (
            json.dumps({key: value for key, value in row.items() if value is not None})
            for row in frame.to_dict("records")
        )
        path.write_text("\n".join(lines) + "\n")
    elif path.suffix == ".parquet":
        frame.astype("str").where(frame.notna(), None).to_parquet(path, row_group_size=11)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


def outcome(run, out):
    """The files and counts that come of a run, or its sentence."""
    try:
        counts = run(out)
    except LabelRiskError as error:
        return str(error)
    return counts, {path.name: path.read_bytes() for path in out.iterdir()}


def compared(tmp_path, monkeypatch, kind, mistake, seeds):
    """Run both on corpora of a kind, drawn from seeds; returns how many were prepared, others ended in a sentence."""
    monkeypatch.chdir(tmp_path)
    written = 0
    for seed in seeds:
        draw = random.Random(f"{kind} {mistake} {seed}")
        frame = corpus(draw, mistake)
        root = tmp_path / str(seed)
        root.mkdir()
        declared = {"kind": "files", "path": f"{seed}/mine" + ("" if kind == "folder" else f".{kind}")}
        declared |= {"slices": ["outlet"]} if draw.random() < 0.5 else {}
        declared |= {"only": {"language": "en"}} if draw.random() < 0.3 else {}
        if kind == "folder":
            (root / "mine").mkdir()
            of = frame["split"].fillna("train").replace("tset", "test")
            for split, ending in zip(dict.fromkeys(of), draw.sample(FORMATS, 4), strict=False):
                write(frame[of == split].drop(columns="split"), root / "mine" / f"{split}.{ending}")
        else:
            write(frame, root / f"mine.{kind}")
            declared |= {"split": "split"} if frame["split"].notna().any() else {}
        caps = {name: draw.choice([None, 20, 45]) for name in ("train_rows", "validation_rows", "test_rows")}
        write_study(tmp_path, params(corpus=declared, prepare=params()["prepare"] | caps | {"seed": seed}))
        settings = load(tmp_path / "params.yaml")

        def run(out, settings=settings, root=root):
            prepare.run(settings, out, root / "counts.json")
            return json.loads((root / "counts.json").read_text())

        before = outcome(lambda out, settings=settings: prepare_reference.prepare(settings, out), root / "before")
        assert outcome(run, root / "after") == before
        written += not isinstance(before, str)
    return written


MISTAKES = ("label", "blank", "split", "ungraded", "two")


@pytest.mark.parametrize("kind", [*FORMATS, "folder"])
def test_the_same_files_and_counts_as_in_one_frame(tmp_path, monkeypatch, kind):
    assert compared(tmp_path, monkeypatch, kind, None, seeds=[1, 3]) > 0


@pytest.mark.parametrize(("kind", "mistake"), [*zip([*FORMATS, "folder"], MISTAKES, strict=True)])
def test_the_same_sentences_as_in_one_frame(tmp_path, monkeypatch, kind, mistake):
    compared(tmp_path, monkeypatch, kind, mistake, seeds=[0])


@pytest.mark.slow
@pytest.mark.parametrize("mistake", [None, *MISTAKES])
@pytest.mark.parametrize("kind", [*FORMATS, "folder"])
def test_many_corpora_give_the_same_as_in_one_frame(tmp_path, monkeypatch, kind, mistake):
    written = compared(tmp_path, monkeypatch, kind, mistake, range(6))
    assert written if mistake is None else written < 6
