"""What sentences of all explanations have in common: one notation of intervals, their level, terms, and short lists."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from evidence_worlds import certain, evidence_of
from small_study import run_explain, settings, write_study

from labelrisk.explanations.calibration.explanation import calibration
from labelrisk.explanations.certificates.explanation import certificates
from labelrisk.explanations.contract import Explanation, outputs
from labelrisk.explanations.downstream.explanation import downstream
from labelrisk.explanations.ensembles.explanation import ensembles
from labelrisk.explanations.flips.explanation import flips
from labelrisk.explanations.phrases import bounded, explained, percent, reference_first, short, with_level
from labelrisk.explanations.propagation.explanation import propagation
from labelrisk.explanations.robustness.explanation import robustness
from labelrisk.statistics.intervals import Interval
from labelrisk.statistics.shares import Share

OLD = re.compile(r"\([+-]?\d[\d.]* to [+-]?\d")  # an interval in another notation than [a, b]
UNIT_INSIDE = re.compile(r"(%|points|nats) \[")
LONGEST = 900  # characters of a sentence
SOURCES = [f"source{place}" for place in range(12)]


def test_an_estimate_has_its_interval_behind_it_and_the_unit_behind_both():
    assert percent(Share(0.58, 0.508, 0.652)) == "58.0 [50.8, 65.2] %"
    assert bounded(Interval(0.1, -0.2, 0.3, 0.1, 5), "+.1f") == "+10.0 [-20.0, +30.0]"
    assert bounded(Interval(1.25, 1.0, 1.5, 0.1, 5), ".2f", 1) == "1.25 [1.00, 1.50]"
    assert bounded(Interval(1.0, 1.0, 1.0, 0.0, 5)) == "100.0"  # nothing varies
    assert bounded(Interval(1.0, np.nan, np.nan, 0.0, 5)) == "100.0"


def test_the_level_stands_in_the_first_sentence_where_there_are_intervals():
    assert with_level(["So.", "It is 5 [4, 6]."], 0.9, "over rows") == [
        "So (90 % intervals throughout, over rows).", "It is 5 [4, 6]."
    ]  # fmt: skip
    assert with_level(["So."], 0.9, "over rows") == ["So."]


def test_a_term_is_explained_where_it_is_first_used_alone():
    meaning = ", allowing for the number of comparisons)"
    says = ["A b.", "It is 1.2 [1.1, 1.3] nats, or 3 [2, 4] nats (Holm over all).", "Again (Holm over all pairs)."]
    first, second, third = explained(says)
    assert (first, third) == (says[0], says[2])
    assert second.startswith("It is 1.2 [1.1, 1.3] nats (units of natural logarithms: ")
    assert second.endswith(f"or 3 [2, 4] nats (Holm over all{meaning}.")
    for remark in ("(*: surely another than that of gold, Holm over all)", "(not decided; Holm over all panels)"):
        assert explained([f"It is 1 {remark}."]) == [f"It is 1 {remark.replace(')', meaning)}."]
    assert outputs("why", Explanation(says=says, metrics={}))["why.json"]["says"] == [first, second, third]


def test_a_short_list_says_how_many_more_there_are_and_where():
    assert short(["a", "b"], "x.csv") == "a; b"
    assert short(list("abcde"), "x.csv", between=", ") == "a, b, c, and 2 more in x.csv"
    sizes = {"small": 1, "gold": 0, "large": 3, "other": 3}
    assert reference_first(sizes, "gold", sizes.__getitem__) == ["gold", "large", "other", "small"]


@pytest.fixture(scope="module")
def many():
    """gold and twelve sources of an annotator's labels, each worse than the one before."""
    generator = np.random.default_rng(3)
    gold, validation = generator.integers(3, size=300), generator.integers(3, size=90)

    def said(of, error, runs):
        wrong = generator.random((runs, len(of))) < error
        return certain(np.where(wrong, (of + 1) % 3, of), 3)

    errors = {"gold": 0.1} | {name: 0.15 + 0.03 * place for place, name in enumerate(SOURCES)}
    return evidence_of(
        gold, {name: said(gold, error, 3) for name, error in errors.items()}, classes=3,
        annotators={"llm": said(gold, 0.3, 1)[0]},
        validation_gold=validation, validation={name: said(validation, error, 3) for name, error in errors.items()},
        words=generator.integers(5, 50, 300),
    )  # fmt: skip


@pytest.mark.parametrize("explain", [calibration, certificates, downstream, ensembles, flips, propagation])
def test_sentences_stay_readable_with_many_sources(many, explain):
    says = explain(many).says
    assert "95 % intervals throughout, " in says[0]
    for sentence in says:
        assert len(sentence) < LONGEST, sentence
        assert not OLD.search(sentence), sentence
        assert not UNIT_INSIDE.search(sentence), sentence
        assert len(set(re.findall(r"source\d+", sentence))) <= 4, sentence


def test_certificates_begin_with_the_reference_and_name_the_nearest_and_the_worst(many):
    says = certificates(many).says
    assert len(says) <= 11
    assert says[0].startswith("With 95 % confidence the vote of gold's students errs on at most")
    assert says[0].endswith("(95 % intervals throughout, over rows alone).")
    assert says[1].startswith("Who takes the lowest of these 14 bounds")
    refused = next(one for one in says if one.startswith("No threshold can be certified for"))
    assert "more in certificates_thresholds.csv; nearest to one comes " in refused
    assert sum("sets of classes" in one for one in says) == 2
    assert any(re.match(r"For source\d+, sets of classes, the largest,", one) for one in says)
    others = next(one for one in says if one.startswith("The others, each looked at alone"))
    assert others.endswith("; and 10 more in certificates.csv.")


def test_calibration_names_the_reference_and_the_three_most_extreme(many):
    says = calibration(many).says
    off = next(one for one in says if one.startswith("What the confidence"))
    assert re.findall(r"(\w+) [\d.]+ \[[\d.]+, [\d.]+\] \(plain", off) == ["gold", *reversed(SOURCES[-3:])]
    assert off.endswith("; and 9 more in calibration.csv.")
    against = next(one for one in says if one.startswith("Surely more overconfident than those of gold"))
    assert "; and " in against
    assert against.endswith(" more in calibration.csv.")


def test_flips_decide_before_they_tell_of_sources(many):
    says = flips(many).says
    assert says[1].startswith("Is instability concentrated where the annotator is wrong")
    told = [place for place, one in enumerate(says) if "that the labels add" in one]
    assert told == [2, 3, 4]
    found = {
        relation["source"]: relation["gap_against_reference"]["estimate"]
        for relation in flips(many).metrics["relations"]
        if relation["covariate"] == "annotator_wrong"
        and relation["annotator"] == "llm"
        and relation["source"] != "gold"
    }
    largest = sorted(found, key=lambda name: -abs(found[name]))[:3]
    assert [says[place].split()[3] for place in told] == largest
    assert all("is not decided with all comparisons" in says[place] or "is surely so" in says[place] for place in told)


def test_with_one_seed_intervals_are_about_rows_alone():
    generator = np.random.default_rng(4)
    gold = np.arange(300) % 3
    students = {name: certain((gold + (generator.random((1, 300)) < 0.3)) % 3, 3) for name in ("gold", "llm")}
    evidence = evidence_of(gold, students, classes=3, annotators={"llm": (gold + (generator.random(300) < 0.2)) % 3})
    for explain in (calibration, ensembles, propagation):
        assert "over rows alone, since there is one seed)." in explain(evidence).says[0]


def test_the_files_of_a_study_keep_to_one_notation_and_explain_their_terms(tmp_path):
    paths = write_study(tmp_path)
    ids = pd.read_parquet(paths["prepared"] / "test.parquet")["id"]
    frame = pd.DataFrame({"id": ids, "slice half": np.repeat(["a", "b"], 30)})
    frame.to_parquet(paths["prepared"] / "slices.parquet")
    folder = run_explain(paths, settings())
    for name in (path for path in folder.glob("*.json") if path.name != "findings.json"):
        says = json.loads(name.read_text())["says"]
        assert not any(OLD.search(one) or UNIT_INSIDE.search(one) or "  " in one for one in says), says
        if any("(Holm" in one for one in says):
            assert "allowing for the number of comparisons" in next(one for one in says if "(Holm" in one)


def test_robustness_and_its_comparisons_are_told_in_words():
    from test_robustness import world

    evidence = world({"gold": 0.1, "llm": 0.12}, rows=60, runs=3, names=("typos", "chain 1"))
    says = robustness(evidence).says
    against = next(one for one in says if "against gold" in one)
    assert against.endswith("along chains, not decided with all comparisons looked at together.")
