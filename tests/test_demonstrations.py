"""Demonstrations: what is shown beside which row, by hand."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.prompting.demonstrations import Demonstrations, candidates_of

IDS = list("abcdefghij")
GOLD = ["weather"] * 6 + ["food"] * 3 + ["sport"]
CANDIDATES = pd.DataFrame({"id": IDS, "text": [f"text {one}" for one in IDS], "gold": GOLD})


def annotator(**changes):
    common = {"kind": "chat", "reads": "c", "model": "m", "base_url": "http://x", "confidence": "none"}
    return ChatAnnotator.model_validate(common | changes)


def drawn(candidates=CANDIDATES, encode=None, **changes):
    return Demonstrations(candidates, annotator(**changes), "model", encode)


def ids(shown):
    return "".join(text.removeprefix("text ") for text, _ in shown)


def varied(**changes):
    return {"confidence": "votes", "vary": "demonstrations"} | changes


# the same for all rows


def test_fixed_shows_the_first_candidates_and_the_next_one_to_a_row_that_is_among_them():
    demonstrations = drawn(shots=3)
    assert demonstrations.shown_to("z") == (("text a", "weather"), ("text b", "weather"), ("text c", "weather"))
    assert ids(demonstrations.shown_to("b")) == "acd"
    assert ids(demonstrations.shown_to("d")) == "abc"


def test_balanced_shows_the_first_of_each_class_then_the_second():
    demonstrations = drawn(shots=5, draw="balanced")
    assert ids(demonstrations.shown_to("z")) == "agjbh"
    assert ids(demonstrations.shown_to("g")) == "ajbhc"
    assert ids(drawn(shots=8, draw="balanced").shown_to("z")) == "agjbhcid"


VECTORS = {  # cosines with a: b .8, c 0, d -.6, e -1, f .6
    "a": (1, 0),
    "b": (0.8, 0.6),
    "c": (0, 1),
    "d": (-0.6, 0.8),
    "e": (-1, 0),
    "f": (0.6, -0.8),
}
SIX = CANDIDATES.head(6)


def encode(texts):
    return np.array([VECTORS[text.removeprefix("text ")] for text in texts], dtype=np.float32)


def test_diverse_takes_the_farthest_from_all_taken_so_far():
    """From a the farthest is e; of the rest the nearer of a and e is least near at c (0, 0); then at f (.6)."""
    demonstrations = drawn(SIX, encode, shots=3, draw="diverse")
    assert ids(demonstrations.shown_to("z")) == "aec"
    assert ids(demonstrations.shown_to("e")) == "acf"
    assert demonstrations.needs_vectors
    assert not demonstrations.differs_by_row


def test_diverse_shows_no_row_twice_where_all_are_alike():
    demonstrations = drawn(SIX, lambda texts: np.ones((6, 1), dtype=np.float32), shots=4, draw="diverse")
    assert ids(demonstrations.shown_to("z")) == "abcd"


def test_no_shots_show_nothing_and_need_no_candidates():
    demonstrations = drawn(CANDIDATES.head(0), shots=0, draw="diverse")
    assert demonstrations.shown_to("z") == ()
    assert demonstrations.identity(3) == []
    assert not demonstrations.needs_vectors


# by row


def test_nearest_shows_the_most_similar_last_and_never_the_row_itself():
    demonstrations = drawn(SIX, encode, shots=2, draw="nearest")
    toward = np.array([0.96, 0.28], dtype=np.float32)  # cosines: a .96, b .936, f .352, c .28, d -.352, e -.96
    assert ids(demonstrations.shown_to("z", 0, toward)) == "ba"
    assert ids(demonstrations.shown_to("a", 0, toward)) == "fb"
    assert ids(drawn(SIX, encode, shots=5, draw="nearest").shown_to("a", 0, toward)) == "edcfb"
    assert demonstrations.needs_vectors
    assert demonstrations.differs_by_row


def test_other_samples_show_the_next_nearest_and_no_row_twice_in_a_round():
    """With a left out b, f, c, d, e remain: two at a time, and then from the start again."""
    toward = np.array([0.96, 0.28], dtype=np.float32)
    demonstrations = drawn(SIX, encode, shots=2, draw="nearest", **varied(samples=3))
    assert [ids(demonstrations.shown_to("z", sample, toward)) for sample in range(3)] == ["ba", "cf", "ed"]
    assert [ids(demonstrations.shown_to("a", sample, toward)) for sample in range(3)] == ["fb", "dc", "eb"]
    one = drawn(SIX, encode, shots=1, draw="nearest", **varied(samples=5))
    assert [ids(one.shown_to("a", sample, toward)) for sample in range(5)] == list("bfcde")


def test_every_sample_gets_all_its_shots_from_few_candidates():
    toward = np.array([0.96, 0.28], dtype=np.float32)
    for draw in ("fixed", "random", "balanced", "nearest", "diverse"):
        demonstrations = drawn(SIX, encode, shots=4, draw=draw, **varied(samples=5))
        for row in "abcdefz":
            for sample in range(5):
                shown = ids(demonstrations.shown_to(row, sample, toward))
                assert len(set(shown)) == len(shown) == 4, (draw, row, sample)
                assert row not in shown


def test_random_differs_by_row_and_is_stable():
    one, other = drawn(shots=3, draw="random"), drawn(shots=3, draw="random")
    rows = [f"row {number}" for number in range(50)]
    shown = [ids(one.shown_to(row)) for row in rows]
    assert shown == [ids(other.shown_to(row)) for row in reversed(rows)][::-1]
    assert len(set(shown)) > 30
    assert set("".join(shown)) == set(IDS)
    assert shown != [ids(drawn(shots=3, draw="random", seed=1).shown_to(row)) for row in rows]


@pytest.mark.parametrize("draw", ["fixed", "random", "balanced", "diverse"])
def test_samples_are_shown_different_ones(draw):
    rows = [f"{number:03}" for number in range(100)]
    many = pd.DataFrame({"id": rows, "text": rows, "gold": (GOLD * 10)})
    points = np.random.default_rng(0).normal(size=(100, 4))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    demonstrations = drawn(many, lambda texts: points, shots=3, draw=draw, **varied(samples=5))
    assert len({demonstrations.shown_to("z", sample) for sample in range(5)}) == 5
    assert demonstrations.shown_to("z", 3) == demonstrations.shown_to("z", 3)


@pytest.mark.parametrize("draw", ["fixed", "random", "balanced"])
def test_a_row_never_sees_itself(draw):
    demonstrations = drawn(shots=9, draw=draw, **varied(samples=3))
    for sample in range(3):
        for row in IDS:
            assert set(ids(demonstrations.shown_to(row, sample))) == set(IDS) - {row}


def test_too_few_candidates_are_one_sentence():
    with pytest.raises(LabelRiskError) as caught:
        drawn(shots=10)
    assert str(caught.value) == (
        "params.yaml: annotators.model.shots is 10 but train has 10 rows with gold to show; lower it or add gold"
    )
    assert len(drawn(shots=9).shown_to("z")) == 9


def test_a_text_that_is_shown_is_disarmed():
    candidates = CANDIDATES.assign(text=["x</text>y", *CANDIDATES["text"][1:]])
    assert drawn(candidates, shots=1).shown_to("z") == (("x&lt;/text>y", "weather"),)


# candidates


def order_of(identity, seed=0):
    """Where a row stands among candidates: the first 8 bytes of SHA-256 of `seed:id`."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{identity}".encode()).digest()[:8], "big")


@pytest.fixture
def train(tmp_path):
    """A writer of train rows: id, text, gold in small row groups."""

    def write(rows):
        frame = pd.DataFrame(rows, columns=["id", "gold"]).assign(split="train")
        for name in ("train", "demonstrations"):
            frame.assign(text="text " + frame["id"]).to_parquet(tmp_path / f"{name}.parquet", row_group_size=7)
        return Prepared(tmp_path)

    return write


ROWS = [(f"{number:03}", ["weather", "food", None][number % 3]) for number in range(60)]


def test_candidates_have_gold_and_stand_in_the_order_of_their_hashes(train):
    found = candidates_of(train(ROWS), annotator(seed=4))
    expected = sorted((row for row in ROWS if row[1]), key=lambda row: order_of(row[0], 4))
    assert list(found.itertuples(index=False, name=None)) == [(i, f"text {i}", gold) for i, gold in expected]


def test_the_pool_is_the_first_by_hash_and_as_many_of_each_class_as_are_shown(train):
    """A pool of 5, and for balanced draws of 2 shots 3 of a class that is rare."""
    rare = sorted((f"r{number}" for number in range(8)), key=order_of)
    common = sorted((f"{number:03}" for number in range(60)), key=order_of)
    rows = [(row, "sport") for row in rare] + [(row, "food") for row in common]
    found = candidates_of(train(rows), annotator(pool=5, shots=2))
    merged = sorted(rare + common, key=order_of)
    assert set(found["id"]) == set(merged[:5]) | set(rare[:3]) | set(common[:3])
    assert list(found["id"]) == sorted(found["id"], key=order_of)


def test_a_new_row_with_a_high_hash_changes_no_fixed_or_balanced_demonstrations(train):
    late = max((f"n{number}" for number in range(200)), key=order_of)
    early = min((f"n{number}" for number in range(200)), key=order_of)
    for draw in ("fixed", "balanced"):
        declared = annotator(shots=4, draw=draw)
        before, after, moved = (
            Demonstrations(candidates_of(train(rows), declared), declared, "model")
            for rows in (ROWS, [*ROWS, (late, "food")], [*ROWS, (early, "food")])
        )
        rows = [row for row, _ in ROWS]
        assert [before.shown_to(row) for row in rows] == [after.shown_to(row) for row in rows]
        assert before.identity(1) == after.identity(1)
        assert before.identity(1) != moved.identity(1)


def test_a_new_row_moves_few_random_draws(train):
    """One of 41 candidates is in a draw of 4 for about one row in ten; all other draws stay."""
    declared = annotator(shots=4, draw="random")
    before, after = (
        Demonstrations(candidates_of(train(rows), declared), declared, "model")
        for rows in (ROWS, [*ROWS, ("n", "food")])
    )
    asked = [f"row {number}" for number in range(300)]
    changed = [row for row in asked if before.shown_to(row) != after.shown_to(row)]
    assert 0 < len(changed) < 75
    assert all("text n" in [text for text, _ in after.shown_to(row)] for row in changed)
    assert before.identity(1) != after.identity(1)
