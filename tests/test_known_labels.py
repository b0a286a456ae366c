"""What need not be asked: labels files by text and by call, rows in order, what makes what is known stale."""

import asyncio
from itertools import count

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chat_study import ROWS, ChatStudy, chat
from loopback import completion, served

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.annotators.chat.labeller import ChatLabeller
from labelrisk.codebook import read_codebook
from labelrisk.corpora.prepared import Prepared
from labelrisk.corpora.rows import content_id
from labelrisk.errors import LabelRiskError
from labelrisk.files import read_json
from labelrisk.labels import labels_file, other_revisions
from labelrisk.labels.answer import Answer
from labelrisk.labels.earlier_run import EarlierRun
from labelrisk.labels.index import LabelsIndex, call_hashes, index_by_call, text_hashes
from labelrisk.labels.labels_file import SCHEMA, LabelledRow, LabelsWriter, labelled_row, labels_table
from labelrisk.labels.other_revisions import OtherRevisions
from labelrisk.labels.row_cost import RowCost
from labelrisk.labels.streaming import Chunk, label_all

LONG = 10.0  # seconds that nothing here takes


def key(number):
    """A call key; alike in all but its first digits and its last."""
    return f"{number + 1:016x}{number:048x}"


def row(number, **changes):
    answer = Answer("ok", "food", "votes", (0.25, 0.75), None, f"reply {number}", (1, 2))
    values = {"answer": answer, "flags": ("delimiter",), "codebook": "c", "spent": RowCost(3, 30, 3, 0.5)}
    return LabelledRow(f"id {number}", "train", **values | {"call": key(number)} | changes)


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A labels file of 10 rows in row groups of 4, 4 and 2."""
    monkeypatch.setattr(labels_file, "ROWS_AT_ONCE", 4)
    path = tmp_path / "labels.parquet"
    with LabelsWriter(path) as writer:
        for number in range(10):
            writer.write(row(number))
    assert pq.ParquetFile(path).num_row_groups == 3
    return path


TEXTS = [f"text {number}" for number in range(10)]


def test_rows_are_found_by_text_and_keep_the_order_in_which_they_are_wanted(written):
    index = LabelsIndex(written, text_hashes(TEXTS))
    wanted = ["text 9", "absent", "text 0", "text 4", "text 3", "text 9"]
    places = index.find(text_hashes(wanted))
    assert places.tolist() == [9, -1, 0, 4, 3, 9]
    table = index.rows(places[places >= 0])
    assert table.schema == SCHEMA
    assert table["id"].to_pylist() == ["id 9", "id 0", "id 4", "id 3", "id 9"]
    assert index.rows(np.arange(10)).equals(pq.read_table(written))


def test_rows_are_found_by_call_key(written):
    index = index_by_call(written)
    places = index.find(call_hashes([key(7), key(99), key(2)]))
    assert places.tolist() == [7, -1, 2]
    assert index.rows(places[[0, 2]])["call"].to_pylist() == [key(7), key(2)]


def test_keys_are_read_batch_by_batch(tmp_path):
    count = 2**16 + 3  # more than pyarrow gives at once
    pq.write_table(pa.table({"call": [key(number) for number in range(count)]}), tmp_path / "labels.parquet")
    index = index_by_call(tmp_path / "labels.parquet")
    some = [0, 2**16 - 1, 2**16, count - 1]
    assert index.find(call_hashes([*map(key, some), key(count)])).tolist() == [*some, -1]


def test_nothing_is_found_in_an_empty_file(tmp_path):
    with LabelsWriter(tmp_path / "labels.parquet"):
        pass
    index = index_by_call(tmp_path / "labels.parquet")
    assert index.find(call_hashes([key(0)])).tolist() == [-1]
    assert len(index.rows(np.array([], dtype=np.int64))) == 0


def test_more_row_groups_than_are_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(labels_file, "ROWS_AT_ONCE", 2)
    with LabelsWriter(tmp_path / "labels.parquet") as writer:
        for number in range(20):
            writer.write(row(number))
    index = index_by_call(tmp_path / "labels.parquet")
    backwards = np.arange(20)[::-1]
    assert index.rows(backwards)["id"].to_pylist() == [f"id {number}" for number in backwards]
    assert index.rows(backwards)["id"].to_pylist() == [f"id {number}" for number in backwards]


def test_a_row_of_a_file_is_the_row_that_was_written(written):
    assert labelled_row(pq.read_table(written).to_pylist()[3]) == row(3)
    bare = LabelledRow("i", "test", Answer("refusal", reply="no"), call=key(1))
    assert labelled_row(labels_table([bare]).to_pylist()[0]) == bare


# other revisions


@pytest.fixture
def seeds(tmp_path, monkeypatch):
    """Seeds over labels files in the folder `revisions`, without git."""
    monkeypatch.chdir(tmp_path)
    annotator = ChatAnnotator.model_validate(chat("http://there"))
    return lambda: OtherRevisions("model", annotator, tmp_path / "labels.parquet", tmp_path / "revisions")


def test_rows_of_other_revisions_are_found_by_the_whole_key(seeds, tmp_path):
    (tmp_path / "revisions").mkdir()
    alike = key(1)[:-1] + "f"
    rows = [row(1), row(2, answer=Answer("error", reply="no")), row(3)]
    pq.write_table(labels_table(rows), tmp_path / "revisions" / "x.parquet")
    found = seeds()
    assert found.find(key(1)) == row(1)
    assert found.find(alike) is None
    assert found.find(key(2)) is None  # an error is asked again
    assert found.find(key(9)) is None


def test_files_of_older_versions_have_fewer_columns(seeds, tmp_path):
    (tmp_path / "revisions").mkdir()
    old = ["id", "split", "label", "status", "method", "probabilities", "outside", "entropy", "reply", "call"]
    pq.write_table(labels_table([row(1)]).select(old), tmp_path / "revisions" / "x.parquet")
    found = seeds().find(key(1))
    assert found == row(1, answer=Answer("ok", "food", "votes", (0.25, 0.75), None, "reply 1"), flags=None,
                        codebook=None, spent=RowCost(0, None, None, None))  # fmt: skip


# order


class Written:
    """What is written, in its order."""

    def __init__(self):
        self.ids = []

    def write_table(self, table):
        assert table.schema == SCHEMA
        self.ids += table["id"].to_pylist()


def pieces_of(*sizes, known=()):
    """Pieces of rows 0, 1, ...; those in `known` have a label."""
    start = 0
    for size in sizes:
        numbers = range(start, start + size)
        places = [number - start for number in numbers if number in known]
        table = labels_table([row(number) for number in numbers if number in known])
        ids = [f"id {number}" for number in numbers]
        asked = [place for place in range(size) if place not in places]
        yield Chunk(ids, ["train"] * size, ids, table, np.array(places, dtype=np.int64), asked)
        start += size


def label(pieces, answer, workers=4, rows_at_once=100, stopped=lambda: False):
    """What was written, how many rows are left, and how many are done."""
    writer, done = Written(), []

    async def run():
        task = asyncio.ensure_future(label_all(pieces, answer, writer, workers, rows_at_once, stopped, done.append))
        await asyncio.wait([task], timeout=LONG)
        assert task.done()
        return task.result()

    left = asyncio.run(run())
    return writer.ids, left, sum(done)


def test_pieces_that_are_complete_out_of_order_are_written_in_order():
    """The first row of all is answered last."""
    others = asyncio.Event()
    answered = count(1)

    async def answer(piece, place):
        if piece.ids[place] == "id 0":
            await others.wait()
        elif next(answered) == 11:
            others.set()
        await asyncio.sleep(0)
        return LabelledRow(piece.ids[place], "train", Answer("ok", "food"))

    ids, left, done = label(pieces_of(3, 1, 5, 3), answer)
    assert ids == [f"id {number}" for number in range(12)]
    assert (left, done) == (0, 12)


def test_known_rows_keep_their_places_among_asked_ones():
    asked = []

    async def answer(piece, place):
        asked.append(piece.ids[place])
        return LabelledRow(piece.ids[place], "train", Answer("ok", "food"))

    known = {0, 2, 4, 5, 6, 7, 11}
    ids, left, done = label(pieces_of(4, 4, 4, known=known), answer)
    assert ids == [f"id {number}" for number in range(12)]
    assert sorted(asked) == sorted(f"id {number}" for number in set(range(12)) - known)
    assert (left, done) == (0, 12)


def test_a_row_without_answer_ends_the_writing_but_not_the_asking():
    asked = []

    async def answer(piece, place):
        asked.append(piece.ids[place])
        return None if piece.ids[place] == "id 4" else LabelledRow(piece.ids[place], "train", Answer("ok", "food"))

    ids, left, done = label(pieces_of(3, 3, 3, 3), answer, workers=1, rows_at_once=3)
    assert len(asked) == 12
    assert ids == ["id 0", "id 1", "id 2"]
    assert (left, done) == (1, 11)


def test_only_so_many_rows_are_open():
    """The row 0 waits; of ten pieces of 2 rows three are read until it is answered."""
    read, released = [], asyncio.Event()

    def pieces():
        for piece in pieces_of(*[2] * 10):
            read.append(piece)
            yield piece

    async def answer(piece, place):
        if piece.ids[place] == "id 0":
            await asyncio.sleep(0.2)
            assert len(read) == 3
            released.set()
        return LabelledRow(piece.ids[place], "train", Answer("ok", "food"))

    ids, left, _ = label(pieces(), answer, rows_at_once=6)
    assert (len(ids), left, released.is_set()) == (20, 0, True)


def test_a_failure_of_the_program_ends_the_run():
    """And does not leave it waiting for workers that are gone."""

    async def answer(piece, place):
        await asyncio.sleep(0)
        raise RuntimeError(piece.ids[place])

    with pytest.raises(RuntimeError, match="id 0"):
        label(pieces_of(100), answer, workers=2)


def test_a_failure_to_read_rows_ends_the_run():
    def pieces():
        yield from pieces_of(2)
        raise OSError("unreadable")

    async def answer(piece, place):
        return LabelledRow(piece.ids[place], "train", Answer("ok", "food"))

    with pytest.raises(OSError, match="unreadable"):
        label(pieces(), answer)


def test_when_the_asking_has_stopped_no_more_rows_are_read():
    asked = []

    async def answer(piece, place):
        asked.append(piece.ids[place])

    ids, left, _ = label(pieces_of(2, 2, 2), answer, stopped=lambda: len(asked) > 0, rows_at_once=2)
    assert (ids, left) == ([], 2)


# remembered


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A small prepared study in the working folder."""
    monkeypatch.chdir(tmp_path)
    return ChatStudy(tmp_path)


def right(text, before):
    return 200, completion("AB"["food" in text or "bread" in text], {"A": 0.6, "B": 0.3})


def test_a_row_more_is_one_request_more(study):
    with served(right) as ledger:
        first = study.run(chat(ledger.url)).set_index("id")
        added = pd.DataFrame([{"text": "A new sentence on food.", "gold": "food"}])
        study.prepare(pd.concat([added, ROWS], ignore_index=True))
        second = study.run(chat(ledger.url)).set_index("id")
        assert len(ledger.bodies) == 17
        study.prepare(ROWS.iloc[3:])
        third = study.run(chat(ledger.url)).set_index("id")
        assert len(ledger.bodies) == 17
    assert second["label"][content_id(added["text"][0])] == "food"
    columns = [name for name in first.columns if name != "split"]
    pd.testing.assert_frame_equal(second.loc[first.index, columns], first[columns])
    assert list(second["text"]) == list(study_texts(pd.concat([added, ROWS]), second))
    pd.testing.assert_frame_equal(third[columns], first.loc[third.index, columns])


def study_texts(rows, frame):
    by_id = {content_id(text): text for text in rows["text"]}
    return [by_id[one] for one in frame.index]


def test_a_row_that_moves_to_another_split_says_so(study):
    with served(right) as ledger:
        study.run(chat(ledger.url))
        paths = [study.root / "prepared" / f"{split}.parquet" for split in ("train", "test")]
        train, test = map(pq.read_table, paths)
        pq.write_table(train.slice(1), paths[0])
        pq.write_table(pa.concat_tables([train.slice(0, 1), test.cast(train.schema)]), paths[1])
        frame = study.run(chat(ledger.url)).set_index("id")
    assert len(ledger.bodies) == 16
    assert frame["split"][train["id"][0].as_py()] == "test"
    assert list(frame["split"]) == sorted(frame["split"], key=["train", "validation", "test"].index)


def test_what_is_remembered_needs_neither_call_cache_nor_endpoint(study):
    with served(right) as ledger:
        url = ledger.url
        study.run(chat(url))
    first = study.labels.read_bytes()
    for path in (study.root / ".labelrisk").glob("calls.sqlite*"):
        path.rename(study.root / f"moved-{path.name}")
    study.labels.unlink()
    study.run(chat(url), retries=0)
    assert study.labels.read_bytes() == first
    assert read_json(study.root / ".labelrisk" / "runs" / "model.json")["requests"] == 0


def test_other_white_space_is_another_text_with_the_same_id(study):
    with served(right) as ledger:
        before = study.run(chat(ledger.url)).set_index("id")
        spaced = ROWS["text"][2].replace(" ", "  ")
        study.prepare(ROWS.assign(text=[*ROWS["text"][:2], spaced, *ROWS["text"][3:]]))
        after = study.run(chat(ledger.url)).set_index("id")
    assert ledger.answered[spaced] == 1
    assert len(ledger.bodies) == 17
    one = content_id(spaced)
    assert one == content_id(ROWS["text"][2])
    assert before["call"][one] != after["call"][one]


def test_an_error_is_not_remembered(study):
    victim, broken = ROWS["text"][2], True

    def reply(text, before):
        return (400, {"error": {"message": "no"}}) if broken and text == victim else right(text, before)

    with served(reply) as ledger:
        assert (study.run(chat(ledger.url))["status"] == "error").sum() == 1
        broken = False
        assert (study.run(chat(ledger.url))["status"] == "ok").all()
    assert len(ledger.bodies) == 17


def test_a_changed_codebook_is_asked_anew_and_stands_in_every_row(study):
    path = study.root / "codebook.yaml"
    with served(right) as ledger:
        first = study.run(chat(ledger.url))
        assert set(first["codebook"]) == {read_codebook(path).version}
        other = study.root / "other.yaml"
        other.write_text(path.read_text().replace("cooking", "baking"))
        second = study.run(chat(ledger.url, reads="other.yaml"))
    assert len(ledger.bodies) == 32
    assert set(second["codebook"]) == {read_codebook(other).version} != set(first["codebook"])


def test_broken_memory_is_asked_of_the_call_cache(study):
    with served(right) as ledger:
        study.run(chat(ledger.url))
        first = study.labels.read_bytes()
        folder = study.root / ".labelrisk" / "labels" / "model"
        for name in ("texts.npy", "labels.parquet"):
            (folder / name).write_bytes(b"broken")
            study.run(chat(ledger.url))
            assert study.labels.read_bytes() == first
    assert len(ledger.bodies) == 16


def signature(study, **changes):
    annotator = ChatAnnotator.model_validate(chat("http://there", **{"shots": 2} | changes))
    codebook = read_codebook(study.root / annotator.reads)
    return ChatLabeller("model", annotator, codebook, Prepared(study.root / "prepared")).signature()


def test_what_decides_about_a_label_and_what_does_not(study):
    base = signature(study)
    price = {"input": 1.0, "output": 2.0}
    (study.root / "copy.yaml").write_text((study.root / "codebook.yaml").read_text())
    same = [
        *({"price": price}, {"price": price, "max_cost": 1.0}, {"max_requests": 5}, {"timeout": 3.0}),
        *({"requests_per_minute": 5}, {"tokens_per_minute": 5}, {"api_key_env": "K"}, {"key_header": "k"}),
        {"reads": "copy.yaml"},
    ]
    assert [change for change in same if signature(study, **change) != base] == []
    for name, old, new in (("label", "food", "meal"), ("task", "Say", "Tell"), ("definition", "cooking", "baking")):
        (study.root / f"{name}.yaml").write_text((study.root / "codebook.yaml").read_text().replace(old, new))
    votes = {"confidence": "votes", "temperature": 1.0}
    other = [
        *({"reads": "task.yaml"}, {"reads": "definition.yaml"}, {"reads": "label.yaml"}),
        *({"model": "n"}, {"base_url": "http://here"}, {"extra_query": {"v": "1"}}, {"shots": 1}, {"shots": 0}),
        *({"draw": "random"}, {"draw": "balanced"}, {"seed": 1}, {"temperature": 0.5}, {"top_logprobs": 5}),
        *({"answer": "json_schema"}, {"answer": "guided_choice"}, {"confidence": "none"}, {"confidence": "verbalised"}),
        *(votes, votes | {"samples": 3}, votes | {"vary": "demonstrations"}, {"reasks": 0}, {"screening": "rules"}),
        {"extra_body": {"top_p": 0.5}},
    ]
    signatures = [signature(study, **change) for change in other]
    assert len({base, *signatures}) == len(other) + 1


def test_demonstrations_that_change_change_the_signature(study):
    base = signature(study)
    path = study.root / "prepared" / "demonstrations.parquet"
    train = pd.read_parquet(path)
    train["text"] += " Indeed."
    train.to_parquet(path)
    assert signature(study) != base


def test_what_is_found_is_never_of_another_row_with_the_same_text_hash(study, monkeypatch):
    """Even if two texts had one hash, the id tells them apart."""
    with served(right) as ledger:
        study.run(chat(ledger.url))
    monkeypatch.setattr("labelrisk.labels.earlier_run.text_hashes", lambda texts: np.zeros(len(texts), np.uint64))
    folder = study.root / ".labelrisk" / "labels" / "model"
    np.save(folder / "texts.npy", np.zeros(16, dtype=np.uint64))
    earlier = EarlierRun(folder, (folder / "signature").read_text())
    pieces = list(earlier.chunks(Prepared(study.root / "prepared")))
    labels = {one["id"]: one for one in pq.read_table(study.labels).to_pylist()}
    for piece in pieces:
        for found in piece.known.to_pylist():
            assert found == labels[found["id"]]
    assert sum(len(piece.known) for piece in pieces) == 1


def test_the_embedded_model_is_free_and_never_refused(tmp_path, monkeypatch):
    """A fresh clone of a study whose labels were never pushed must run: only what was paid is guarded."""

    def unreadable(*arguments):
        raise LabelRiskError("its labels exist but can't be read")
        yield

    monkeypatch.setattr(other_revisions, "revision_labels", unreadable)
    for url, refused in (("embedded", False), ("http://there/v1", True)):
        annotator = ChatAnnotator.model_validate(chat(url))
        seeds = other_revisions.OtherRevisions("model", annotator, tmp_path / "model.parquet", tmp_path / "revisions")
        if refused:
            with pytest.raises(LabelRiskError):
                seeds.find("0" * 64)
        else:
            assert seeds.find("0" * 64) is None
