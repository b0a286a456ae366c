"""Edits that keep a label: what each changes and what it leaves, for any text; variants of rows, and chains."""

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelrisk.edits.contract import some
from labelrisk.edits.kinds import HARMLESS, OF_EVIDENCE
from labelrisk.edits.letters import LOOK_ALIKES, homoglyphs, lower, typos, upper
from labelrisk.edits.marks import punctuation, white_space
from labelrisk.edits.sentences import CONTRACTED, NEUTRAL, contraction, neutral_sentence, sentence_order, stop_word
from labelrisk.edits.variants import drawn, variants
from labelrisk.settings.perturb import PerturbSettings

EVERY = {**HARMLESS, **OF_EVIDENCE}
NAMES = PerturbSettings().edits
TEXT = "The council did not vote, it seems. A new bridge over the harbour; that is what it paid for. Was it a waste?"
PIECES = [
    "the",
    "a",
    "do not",
    "can't",
    "Rain.",
    "SNOW!",
    "e\u0301te\u0301s",
    "straße",
    "İzmir",
    "天气",
    "7.5",
    ",",
    "\t",
]
ANY = st.text(max_size=60) | st.lists(st.sampled_from([*PIECES, "🙂", "снег"])).map(" ".join)


def generator(seed=0):
    return np.random.default_rng(seed)


def drawn_of(edit, text, times=200):
    """All that an edit makes of a text, over so many seeds."""
    return {edit(text, generator(seed)) for seed in range(times)}


def without_case(text):
    return "".join(letter.lower() for letter in text)


def test_the_registry_has_all_that_params_may_name():
    assert tuple(HARMLESS) == NAMES
    assert not HARMLESS.keys() & OF_EVIDENCE.keys()


@pytest.mark.parametrize("name", EVERY)
@given(text=ANY, seed=st.integers(0, 50))
def test_no_edit_empties_a_text_or_depends_on_more_than_its_generator(name, text, seed):
    edited = EVERY[name](text, generator(seed))
    assert edited == EVERY[name](text, generator(seed))
    assert bool(edited.strip()) or not text.strip()
    edited.encode()  # no half of a pair of surrogates


@pytest.mark.parametrize("name", EVERY)
def test_each_edit_changes_an_english_text_and_not_one_without_anything_to_change(name):
    assert TEXT not in drawn_of(EVERY[name], TEXT)
    if name != "neutral_sentence":
        same = drawn_of(EVERY[name], "天气 42!") == {"天气 42!"}
        assert same == (name != "white_space")  # which there is between the two words


@given(text=ANY)
def test_case_is_all_that_changes_and_it_leads_back(text):
    for edit in (upper, lower):
        edited = edit(text, generator())
        assert len(edited) == len(text)
        assert edited.casefold() == text.casefold()
        assert edit(edited, generator()) == edited


def test_letters_whose_other_case_is_another_letter_stay():
    assert upper("straße, éa", generator()) == "STRAßE, ÉA"
    assert lower("İA ÉSΣ", generator()) == "İa és\u03c3"


@given(text=ANY, seed=st.integers(0, 50))
def test_typos_leave_first_letters_short_words_marks_and_numbers(text, seed):
    edited = typos(text, generator(seed))
    assert len(edited) == len(text)
    different = [place for place, (one, other) in enumerate(zip(text, edited, strict=True)) if one != other]
    for place in different:
        assert text[place - 1].isalpha()
        assert text[place].lower() != text[place].upper()
        assert not unicodedata.combining(text[place + 1 : place + 2] or " ")
    for word in re.finditer(r"[^\W\d_]+", text):
        inside = [place for place in different if word.start() <= place < word.end()]
        assert len(inside) <= 2  # one slip a word
        assert not inside or len(word[0]) >= 4


def test_slips_are_swaps_and_neighbours_in_the_words_own_case():
    # "hat": no word of four letters; first letters stay
    found = drawn_of(typos, "hat RAIN", 400)
    assert found == {"hat RIAN", "hat RANI", "hat RSIN", "hat RAUN", "hat RAON", "hat RAIB", "hat RAIM"}
    assert drawn_of(typos, "снег") == {"сенг", "снге"}  # not on the keyboard: neighbours change places
    assert drawn_of(typos, "oooo") == {"oioo", "opoo", "ooio", "oopo", "oooi", "ooop"}  # a swap would be none
    words = " ".join(["weather"] * 20_000)
    slips = np.mean([one != "weather" for one in typos(words, generator()).split()])
    assert slips == pytest.approx(0.2, abs=0.01)


def test_look_alikes_lead_back_and_are_of_other_scripts():
    back = {other: letter for letter, other in LOOK_ALIKES.items()}
    assert len(back) == len(LOOK_ALIKES)
    for letter, other in LOOK_ALIKES.items():
        assert letter.isascii()
        assert unicodedata.name(other).split()[0] in ("CYRILLIC", "GREEK")
        assert letter.isupper() == other.isupper()
    edited = homoglyphs(TEXT * 200, generator())
    assert "".join(back.get(letter, letter) for letter in edited) == TEXT * 200
    replaceable = sum(letter in LOOK_ALIKES for letter in TEXT * 200)
    assert sum(letter in back for letter in edited) / replaceable == pytest.approx(0.1, abs=0.01)
    assert homoglyphs("a", generator()) == "а"  # noqa: RUF001 one at least


def test_punctuation_goes_after_words_only_and_comes_where_there_is_none():
    assert drawn_of(punctuation, "At 10:30, 7.5 degrees; see a.b/c. Why?") == {
        "At 10:30 7.5 degrees; see a.b/c. Why?", "At 10:30, 7.5 degrees see a.b/c. Why?",
        "At 10:30, 7.5 degrees; see a.b/c Why?", "At 10:30 7.5 degrees see a.b/c. Why?",
        "At 10:30 7.5 degrees; see a.b/c Why?", "At 10:30, 7.5 degrees see a.b/c Why?",
        "At 10:30 7.5 degrees see a.b/c Why?",
    }  # fmt: skip
    assert punctuation("Rain falls", generator()) == "Rain falls."
    assert punctuation("Why?", generator()) == "Why?"
    assert punctuation("...", generator()) == "..."


@given(text=ANY, seed=st.integers(0, 50))
def test_white_space_keeps_all_words_and_ends_of_lines(text, seed):
    edited = white_space(text, generator(seed))
    assert edited.split() == text.split()
    assert edited.count("\n") == text.count("\n")


def test_single_spaces_become_wider_by_their_rate():
    assert drawn_of(white_space, "a b\nc  d") == {"a  b\nc  d", "a\tb\nc  d", "a\u00a0b\nc  d"}
    gaps = white_space(" ".join("a" * 20_001), generator())
    assert 1 - len(re.findall("(?<=a) (?=a)", gaps)) / 20_000 == pytest.approx(0.3, abs=0.01)


def test_a_neutral_sentence_comes_last():
    assert drawn_of(neutral_sentence, "Rain falls. ") == {f"Rain falls. {one}" for one in NEUTRAL}
    assert neutral_sentence("Rain falls", generator()).startswith("Rain falls. T")
    assert neutral_sentence('"Rain!"', generator()).startswith('"Rain!" T')


def test_neighbouring_sentences_change_places():
    assert drawn_of(sentence_order, "A b. C d! E f") == {"C d! A b. E f", "A b. E f. C d!"}
    assert sentence_order("At c. 54. see p. 7.", generator()) == "At c. 54. see p. 7."  # no capital letter: no sentence


def test_one_stop_word_goes_that_is_neither_first_nor_last():
    assert drawn_of(stop_word, "The rain and THE wind that is a") == {
        "The rain and wind that is a",
        "The rain and THE wind is a",
    }
    assert stop_word("the", generator()) == "the"
    assert stop_word("Not other: another theory", generator()) == "Not other: another theory"


def test_contractions_go_both_ways_where_they_are_short_for_one_thing():
    assert contraction("We do not.", generator()) == "We don't."
    assert contraction("Don't", generator()) == "Do not"
    assert contraction("It is", generator()) == "It's"
    assert contraction("It's, I'm", generator()) == "It's, I'm"  # "it has", too
    assert drawn_of(contraction, "It is. They can't.") == {"It's. They can't.", "It is. They cannot."}
    for long, short in CONTRACTED.items():
        assert contraction(f"so {long} so", generator()) == f"so {short} so"


def test_some_places_are_chosen_by_their_rate_one_at_least():
    assert some(0, 0.5, generator()).tolist() == []
    assert all(len(some(3, 0.0, generator(seed))) == 1 for seed in range(20))
    assert {some(3, 0.0, generator(seed)).item() for seed in range(50)} == {0, 1, 2}
    assert some(4, 1.0, generator()).tolist() == [0, 1, 2, 3]


def found(text=TEXT, identity="a", edits=NAMES, chain=4, seed=0):
    return {one.edit: one for one in variants(text, identity, edits, chain, seed)}


def test_variants_are_the_text_each_edit_and_chains():
    every = found()
    assert list(every) == ["unedited", *NAMES, "chain 1", "chain 2", "chain 3", "chain 4"]
    assert every["unedited"] == ("unedited", TEXT, False)
    assert all(one.changed == (one.text != TEXT) for name, one in every.items())
    assert list(found(edits=("typos",), chain=0)) == ["unedited", "typos"]


def test_chains_are_nested_and_each_step_is_another_edit():
    for identity in "abcdefgh":
        long, short = found(identity=identity, chain=8), found(identity=identity, chain=3)
        assert all(long[name] == short[name] for name in short)
        before = TEXT
        for step in range(1, 9):
            assert long[f"chain {step}"].changed
            assert long[f"chain {step}"].text != before
            before = long[f"chain {step}"].text
    firsts = {found(identity=str(place))["chain 1"].text for place in range(60)}
    assert len(firsts) > 20  # other rows, other chains


def test_a_chain_that_runs_out_of_edits_stays_as_it_is_and_says_so():
    every = found(text="天气 42", edits=("white_space", "upper"), chain=8)
    steps = [every[f"chain {step}"] for step in range(1, 9)]
    changed = [one.changed for one in steps]
    assert changed == sorted(changed, reverse=True)
    assert 1 <= sum(changed) <= 6
    assert {one.text for one in steps[sum(changed) :]} == {steps[sum(changed) - 1].text}
    assert not every["upper"].changed


def test_an_edit_of_a_row_does_not_depend_on_others():
    assert found(edits=("typos",))["typos"] == found()["typos"]
    assert found(identity="b")["typos"] != found()["typos"]
    assert found(seed=1)["typos"] != found()["typos"]


def test_more_rows_hold_the_fewer_and_new_rows_move_few():
    ids = [f"row{number}" for number in range(300)]
    few, many = (set(drawn(ids, rows, 0)) for rows in (20, 50))
    assert few < many
    assert len(many) == 50
    assert drawn(ids, 1000, 0) == list(range(300))
    assert drawn(ids, 20, 1) != drawn(ids, 20, 0)
    assert drawn(ids, 0, 0) == []
    again = set(drawn([*ids, "new"], 20, 0))
    assert len(again & few) >= 19
