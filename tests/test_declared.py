"""What params.yaml declares, a file for each of many stages: an edit of one source touches that one and its twins."""

import json
from pathlib import Path

import pytest
import yaml

from labelrisk.cli import main
from labelrisk.settings.declared import declared_files

PARAMS = {
    "sources": {
        "gold": {"annotator": "gold"},
        "cleaned": {"annotator": "llm", "select": {"by": "random", "share": 0.1}, "action": "drop"},
        "twin": {"annotator": "llm", "control": "random", "of": "cleaned"},
    },
    "seeds": [0, 1],
    "annotators": {"gold": {"kind": "gold"}, "llm": {"kind": "chat", "shots": 3}},
    "filter": {"seed": 0},
    "train": {"steps": 10},
    "curve": {"sizes": [10], "seeds": 2, "steps": None},
}
ALL = {"train", "curve", "filter/gold", "filter/cleaned", "filter/twin"}


def changed(edit):
    """The files whose content an edit changes."""
    now = json.loads(json.dumps(PARAMS))
    edit(now)
    before, after = declared_files(PARAMS), declared_files(now)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


@pytest.mark.parametrize(
    ("edit", "files"),
    [
        (lambda now: None, set()),
        (lambda now: now["sources"]["gold"].update(rows=5), {"filter/gold"}),
        (lambda now: now["sources"]["cleaned"]["select"].update(share=0.2), {"filter/cleaned", "filter/twin"}),
        (lambda now: now["sources"].update(more={"annotator": "llm"}), {"filter/more"}),
        (lambda now: now["annotators"]["llm"].update(shots=4), {"filter/gold", "filter/cleaned", "filter/twin"}),
        (lambda now: now["seeds"].append(2), ALL),
        (lambda now: now["train"].update(steps=20), {"train", "curve"}),
        (lambda now: now["curve"].update(sizes=[10, 20]), set()),  # one size more trains no other again
        (lambda now: now["curve"].update(steps=5), {"curve"}),
        (lambda now: now["filter"].update(seed=1), ALL - {"train"}),
        (lambda now: now["filter"].update(validation_labels="annotator"), ALL - {"train", "curve"}),
    ],
)
def test_an_edit_changes_the_files_of_what_it_touches(edit, files):
    assert changed(edit) == files


def test_a_file_holds_the_source_and_what_it_names():
    found = json.loads(declared_files(PARAMS)["filter/twin"])
    assert set(found) == {"sources", "filter", "seeds", "annotators", "panels", "second_opinions"}
    assert set(found["sources"]) == {"twin", "cleaned"}


@pytest.mark.parametrize("order", [1, -1])
def test_the_command_writes_the_same_whatever_the_order_of_keys(tmp_path, monkeypatch, order):
    monkeypatch.chdir(tmp_path)
    content = dict(list(PARAMS.items())[::order])
    Path("params.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    assert main(["names", "--out", "good", "--declared", "declared"]) == 0
    files = {path.relative_to("declared").as_posix(): path for path in Path("declared").rglob("*") if path.is_file()}
    assert {name: path.read_text() for name, path in files.items()} == declared_files(PARAMS)
