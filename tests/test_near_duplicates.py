"""Near-duplicates: what they are by hand, and that hashes find those that a comparison of all pairs finds."""

import json
import random
import re

import numpy as np
import pandas as pd
import pytest
from study_files import params, texts, write_study

from labelrisk.corpora.near_duplicates import search, signatures
from labelrisk.corpora.near_duplicates.search import NONE, nearly_the_same
from labelrisk.corpora.near_duplicates.shingles import jaccard, letters
from labelrisk.corpora.near_duplicates.signatures import BINS, rows_of_band
from labelrisk.corpora.raw_rows import RawRows
from labelrisk.corpora.rows import checked_rows
from labelrisk.corpora.texts_file import TextsFile
from labelrisk.params import load
from labelrisk.stages import prepare

# --- by hand


def test_letters_without_case_punctuation_and_white_space_around():
    found = letters(["  Rain, rain!  ", "", "ÉTÉ\u00a0— 東京 🙂", "e\u0301te\u0301 ...", "?!"])
    whole = found.codes.tobytes().decode("utf-32-le")
    cut = [whole[start:end] for start, end in zip(found.starts, found.starts[1:], strict=False)]
    assert cut == ["rain rain", "", "été 東京 🙂", "été", ""]


def test_shingles_and_their_jaccard_index_by_hand():
    """`abcdef` has abcde, bcdef; `abcdeX` has abcde, bcdex: one of three.  Shorter texts have none."""
    one, other, short, none = letters(["abcdef", "abcdeX", "abcd", ""]).shingles()
    assert one == {"abcde", "bcdef"}
    assert jaccard(one, other) == 1 / 3
    assert short == none == frozenset()
    assert jaccard(short, none) == 0


def test_bands_are_as_narrow_as_needed():
    """By hand for .9: seven hashes in nine bands find 1 - (1 - .9^7)^9 = .9971, eight in eight .9889."""
    assert rows_of_band(0.9) == 7
    assert pytest.approx(0.9971, abs=1e-4) == 1 - (1 - 0.9**7) ** (BINS // 7)
    assert pytest.approx(0.9889, abs=1e-4) == 1 - (1 - 0.9**8) ** (BINS // 8)
    assert rows_of_band(1) == BINS


# --- against all pairs

WORDS = [
    f"{start}{middle}{end}"
    for start in "bdfgklmnprstv"
    for middle in ("a", "ei", "ou")
    for end in ("n", "rt", "sh", "m")
]


def plain_shingles(text):
    """Of ASCII texts, as the documentation says."""
    text = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    return {text[at : at + 5] for at in range(len(text) - 4)}


def varied(draw: random.Random, rows: int, words: int) -> list[str]:
    """Sentences and copies of them with some letters changed, added or lost."""
    found = [" ".join(draw.choices(WORDS, k=words)) for _ in range(rows // 2)]
    while len(found) < rows:
        text = list(draw.choice(found))
        for _ in range(draw.choice([1, 1, 1, 2, 3, 4])):
            at = draw.randrange(len(text))
            text[at : at + 1] = draw.choice([[], ["x"], ["X", "y"], [","], [text[at].upper()]])
        found.append("".join(text))
    return found


def keys_of(tmp_path, said, splits=None, golds=None):
    """What prepare would know of these texts, and the file that holds them."""
    golds = golds or ["a", *["b"] * (len(said) - 1)]
    raw = RawRows(said, golds, splits, {}, "mine.csv, line", np.arange(2, len(said) + 2))
    file = TextsFile(tmp_path / "texts.arrow")
    keys = checked_rows([raw], ["a", "b"], keep=file.add)
    file.close()
    return keys, file


def by_all_pairs(said, least):
    """For each row whether an earlier one is that similar, and the highest similarity of one."""
    sets = [plain_shingles(text) for text in said]
    highest = np.zeros(len(said))
    for at, one in enumerate(sets):
        for other in sets[:at]:
            highest[at] = max(highest[at], len(one & other) / max(1, len(one | other)))
    return highest >= least, highest


@pytest.mark.parametrize(("words", "least"), [(25, 0.9), (25, 0.7), (8, 0.8)])
def test_hashes_find_what_all_pairs_find(tmp_path, words, least):
    said = list(dict.fromkeys(varied(random.Random(f"{words} {least}"), 300, words)))
    keys, file = keys_of(tmp_path, said)
    with file:
        found = nearly_the_same(keys, file, least, seed=0) != NONE
    expected, _ = by_all_pairs(said, least)
    assert expected.sum() > 20
    assert not (found & ~expected).any()  # precision: every pair was compared
    assert (found & expected).sum() >= 0.98 * expected.sum()  # recall


def test_the_same_seed_finds_the_same_and_bands_miss_about_what_theory_says(tmp_path):
    said = list(dict.fromkeys(varied(random.Random(1), 300, 25)))
    keys, file = keys_of(tmp_path, said)
    expected, _ = by_all_pairs(said, 0.85)
    with file:
        found = [nearly_the_same(keys, file, 0.85, seed) for seed in (0, 0, 1)]
    assert (found[0] == found[1]).all()
    assert np.mean([(one != NONE)[expected].mean() for one in found]) > 0.99


def test_many_alike_are_compared_with_few_of_them(tmp_path, monkeypatch):
    """All rows share their buckets: each is compared with the first one, which it is nearly the same as."""
    body = "there is rain in the north and there is bread in the harbour market of the old village today"
    said = [f"{body} {number:03}" for number in range(300)]
    compared = []
    similar = search._similarities
    monkeypatch.setattr(search, "_similarities", lambda *of: compared.append(len(of[0])) or similar(*of))
    keys, file = keys_of(tmp_path, said)
    with file:
        found = nearly_the_same(keys, file, 0.9, seed=0)
    assert (found == NONE).sum() == 1
    assert sum(compared) < 3 * len(said)


def test_long_texts_are_worked_on_a_few_at_a_time_and_the_same_is_found(tmp_path, monkeypatch):
    """Pieces have so many letters at most, and one text more; as far as pairs go, two."""
    said = list(dict.fromkeys(varied(random.Random(2), 60, 100)))
    keys, file = keys_of(tmp_path, said)
    with file:
        expected = nearly_the_same(keys, file, 0.9, seed=0)
        sizes = []
        for module in (search, signatures):
            monkeypatch.setattr(module, "BYTES_AT_ONCE", 2000)
            monkeypatch.setattr(module, "letters", lambda of: sizes.append(sum(map(len, of))) or letters(of))
        monkeypatch.setattr(search, "REMEMBERED", 0)
        found = nearly_the_same(keys, file, 0.9, seed=0)
    assert (found == expected).all()
    assert (found != NONE).sum() > 10
    assert sum(map(len, said)) > 20_000
    assert max(sizes) <= 2000 + 2 * max(map(len, said))


# --- in the stage

NEARLY = "There is rain in the north, there is rain in the south, and there is rain in the east of it."


def run(root, monkeypatch, rows, **changes):
    monkeypatch.chdir(root)
    corpus = params()["corpus"] | ({"split": "split"} if "split" in rows else {})
    write_study(root, params(corpus=corpus, prepare=params()["prepare"] | changes), rows)
    prepare.run(load(root / "params.yaml"), root / "out", root / "counts.json")
    frames = {split: pd.read_parquet(root / "out" / f"{split}.parquet") for split in ("train", "validation", "test")}
    return frames, json.loads((root / "counts.json").read_text())


def test_what_nearly_repeats_a_test_row_leaves_train_and_is_counted(tmp_path, monkeypatch):
    """By hand: two rows of train say nearly what the test row says; one of train nearly what another of train says."""
    rows = texts().assign(split=["train", "validation", "test", "train"] * 20)
    other = NEARLY.replace("rain", "sleet")
    more = pd.DataFrame(
        [
            [NEARLY.replace(",", ";"), "weather", "train"],
            [NEARLY, "weather", "test"],
            [NEARLY + "!", None, "train"],
            [other, None, "train"],
            [other.upper(), "weather", "train"],
        ],
        columns=["text", "gold", "split"],
    )
    every = pd.concat([rows, more], ignore_index=True)
    frames, counts = run(tmp_path, monkeypatch, every, near_duplicates=0.95)
    assert NEARLY in set(frames["test"]["text"])
    kept = set(frames["train"]["text"])
    assert not kept & {NEARLY.replace(",", ";"), NEARLY + "!", other}
    assert other.upper() in kept  # the one with gold
    assert counts["dropped"]["near_duplicate_of_another_split"] == 2
    assert counts["dropped"]["near_duplicate"] == 1
    assert counts["read"] == 85
    assert len(pd.concat(frames.values())) == 82
    without, counts = run(tmp_path, monkeypatch, every)
    assert len(pd.concat(without.values())) == 85
    assert list(counts["dropped"]) == ["duplicate", "duplicate_of_another_split", "over_the_cap"]


def test_a_row_that_the_corpus_puts_into_test_goes_for_none(tmp_path, monkeypatch):
    rows = texts().assign(split=["train", "validation", "test", "train"] * 20)
    more = pd.DataFrame(
        [[NEARLY, "weather", "test"], [NEARLY.upper(), "food", "test"], [NEARLY + "!", None, "train"]],
        columns=["text", "gold", "split"],
    )
    frames, counts = run(tmp_path, monkeypatch, pd.concat([rows, more], ignore_index=True), near_duplicates=0.95)
    assert {NEARLY, NEARLY.upper()} <= set(frames["test"]["text"])
    assert NEARLY + "!" not in set(frames["train"]["text"])
    assert counts["dropped"]["near_duplicate"] == 0
    assert counts["dropped"]["near_duplicate_of_another_split"] == 1
