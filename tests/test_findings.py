"""The claims of the papers on studies in which the truth is known, and how findings are shown."""

import dataclasses
import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from small_study import settings

from labelrisk.cli import main
from labelrisk.comparison.claims.class_shares import predicted_share
from labelrisk.comparison.claims.kinds import CLAIMS
from labelrisk.comparison.findings import findings
from labelrisk.comparison.findings_table import findings_markdown, findings_text
from labelrisk.comparison.study import AnnotatorLabels, Study, students_of
from labelrisk.comparison.systems import macro_f1_variances
from labelrisk.statistics.gap_shares import share_of_gap
from labelrisk.statistics.scores import confusion, macro_f1

CLASSES = ("north", "south", "west")
SEEDS = 5
ENTROPY = {"by": "entropy", "share": 0.25}
SOURCES = {
    "gold": {"annotator": "gold"},
    "llm": {"annotator": "llm"},
    "drop": {"annotator": "llm", "select": ENTROPY, "action": "drop"},
    "repair": {"annotator": "llm", "select": ENTROPY, "action": "gold"},
    "repair_random": {"annotator": "llm", "control": "random", "of": "repair"},
    "noise": {"annotator": "llm", "labels": "gold", "noise": "confusion"},
}
VOTES = {"kind": "import", "reads": "labels.csv", "votes": ["one", "two", "three"]}
LABELS = {"kind": "import", "reads": "labels.csv", "label": "label"}


def gold_of(rows):
    """Half of the rows north, a third south, a sixth west, the rarest."""
    return np.repeat([0, 1, 2], [rows // 2, rows // 3, rows // 6])


def wrong(gold, always=0.0, by_chance=0.0, seed=0, seeds=SEEDS):
    """Runs that err on a share of rows always, the same rows and class, and on others by chance of the run."""
    generator = np.random.default_rng(seed)
    order = np.random.default_rng(99).permutation(len(gold))  # the same for all: more errors are errors on more rows
    runs = np.tile(gold, (seeds, 1))
    runs[:, order[: round(always * len(gold))]] = (gold[order[: round(always * len(gold))]] + 1) % 3
    chance = generator.random(runs.shape) < by_chance
    return np.where(chance, (gold + 1) % 3, runs)


def study_of(rows=600, sources=SOURCES, annotator=VOTES, test_labels=None, seeds=SEEDS, curves=None, **runs):
    """A study whose sources have the runs given; those of the others are gold with some chance."""
    gold = gold_of(rows)
    students = {}
    for name in sources:
        made = runs.get(name, wrong(gold, by_chance=0.05, seed=sum(map(ord, name)), seeds=seeds))
        students[name] = students_of(gold, np.eye(3, dtype=np.float32)[made])
    codes = gold if test_labels is None else test_labels
    content = {
        "settings": settings(
            annotators={"gold": {"kind": "gold", "reads": "codebook.yaml"}, "llm": annotator},
            sources=sources,
            seeds=list(range(seeds)),
            evaluate={"reference": "gold", "margin": 0.02, "confidence": 0.95, "stability_margin": 0.05},
        ),
        "classes": CLASSES,
        "test": SimpleNamespace(ids=pd.RangeIndex(rows), gold=gold),
        "students": students,
        "annotators_on_test": {"llm": AnnotatorLabels(codes, confusion(gold, codes, 3))},
        "curves": pd.DataFrame({"source": [], "seed": [], "step": []}) if curves is None else curves,
    }
    return Study(**({field.name: {} for field in dataclasses.fields(Study)} | content))


def found(claim, study):
    return findings(study)["claims"]["llm"][claim]


def word(claim, study):
    return found(claim, study)["finding"]


GOLD = gold_of(600)
FEW = gold_of(60)
UNSURE = {"rows": 60, "gold": wrong(FEW, 0.10, 0.15, 1), "llm": wrong(FEW, 0.12, 0.17, 2)}


def test_all_claims_stand_in_the_file():
    content = findings(study_of())
    assert list(content["claims"]) == ["llm"]  # gold is held against nothing
    assert list(content["claims"]["llm"]) == [claim.__name__ for claim in CLAIMS]
    for one in content["claims"]["llm"].values():
        assert list(one) == ["finding", "estimate", "low", "high", "because", "sources"]
        assert one["because"].endswith(".")
        assert one["estimate"] is None or one["low"] <= one["estimate"] <= one["high"]
    assert json.loads(json.dumps(content)) == content


# llm_worse


def test_students_that_lose_much_are_worse():
    one = found("llm_worse", study_of(llm=wrong(GOLD, 0.2)))
    truth = float(macro_f1(confusion(GOLD, wrong(GOLD, 0.2)[0], 3)))
    assert one["finding"] == "holds"
    assert -0.25 < one["estimate"] < 0
    assert one["sources"] == ["llm", "gold"]
    perfect = study_of(llm=wrong(GOLD, 0.2), gold=wrong(GOLD))
    assert found("llm_worse", perfect)["estimate"] == pytest.approx(truth - 1, abs=1e-4)


def test_students_that_lose_nothing_are_not_worse():
    alike = wrong(GOLD, 0.1, 0.01, 3)
    one = found("llm_worse", study_of(llm=wrong(GOLD, 0.1, 0.01, 4), gold=alike))
    assert one["finding"] == "does not hold"
    assert one["low"] > -0.02
    better = study_of(llm=wrong(GOLD, 0.05), gold=wrong(GOLD, 0.3))
    assert word("llm_worse", better) == "does not hold"


def test_few_rows_leave_it_open():
    one = found("llm_worse", study_of(**UNSURE))
    assert one["finding"] == "not decided here"
    assert one["because"] == "The interval holds both 0 and -2 points."
    assert one["low"] < -0.02 < 0 < one["high"]


def test_a_small_loss_that_is_sure_is_a_loss():
    one = found("llm_worse", study_of(rows=6000, llm=wrong(gold_of(6000), 0.01), gold=wrong(gold_of(6000))))
    assert one["finding"] == "holds"
    assert one["low"] > -0.02


def test_without_a_source_of_gold_the_claim_is_left_open():
    without = {name: source for name, source in SOURCES.items() if name != "gold"}
    study = study_of(sources=without)
    assert found("llm_worse", study)["because"] == "It needs a source of gold labels."
    assert found("llm_worse", study)["estimate"] is None
    assert found("student_near_annotator", study)["estimate"] is not None


def test_an_annotator_without_its_plain_labels_has_no_claims():
    without = {name: source for name, source in SOURCES.items() if name != "llm"}
    assert findings(study_of(sources=without))["claims"] == {}


# stability


def test_students_that_flip_are_less_stable():
    steady, flipping = wrong(GOLD, 0.1, 0.02, 1), wrong(GOLD, 0.1, 0.2, 2)
    one = found("llm_less_stable", study_of(llm=flipping, gold=steady))
    assert (one["finding"], one["sources"]) == ("holds", ["llm", "gold"])
    assert word("llm_less_stable", study_of(llm=steady, gold=flipping)) == "does not hold"
    # many errors, but always the same ones: worse, not less stable
    study = study_of(llm=wrong(GOLD, 0.3, 0.01, 1), gold=wrong(GOLD, 0, 0.01, 2))
    assert (word("llm_worse", study), word("llm_less_stable", study)) == ("holds", "does not hold")
    assert word("llm_less_stable", study_of(**UNSURE)) == "not decided here"


def test_what_noise_costs_too_is_not_more_than_noise():
    flipping = wrong(GOLD, 0.1, 0.2, 2)
    study = study_of(llm=flipping, gold=wrong(GOLD), noise=wrong(GOLD, 0.1, 0.3, 5))
    assert (word("llm_less_stable", study), word("less_stable_than_noise", study)) == ("holds", "does not hold")
    study = study_of(llm=flipping, gold=wrong(GOLD), noise=wrong(GOLD, 0.2, 0.02, 5))
    assert found("less_stable_than_noise", study)["sources"] == ["llm", "noise"]
    assert word("less_stable_than_noise", study) == "holds"
    without = {name: source for name, source in SOURCES.items() if name != "noise"}
    assert "noise of llm" in found("less_stable_than_noise", study_of(sources=without))["because"]


def test_one_seed_says_nothing_about_stability():
    study = study_of(seeds=1)
    for claim in ("llm_less_stable", "less_stable_than_noise"):
        one = found(claim, study)
        assert (one["finding"], one["because"]) == ("not decided here", "It needs three seeds or more.")
    assert found("llm_worse", study)["estimate"] is not None


def test_students_of_one_class_have_no_alpha():
    study = study_of(llm=np.zeros((SEEDS, 600), dtype=int))
    assert "one class" in found("llm_less_stable", study)["because"]
    assert (found("llm_less_stable", study)["estimate"], word("llm_worse", study)) == (None, "holds")


# overpredicts_minority


def test_the_rare_class_predicted_too_often():
    often = np.tile(GOLD, (SEEDS, 1))
    often[:, :60] = 2  # of 600 rows, 100 of them west
    one = found("overpredicts_minority", study_of(llm=often, gold=wrong(GOLD)))
    assert (one["finding"], one["estimate"]) == ("holds", 0.1)
    assert "'west', a share of 0.167" in one["because"]
    assert found("overpredicts_minority", study_of(llm=wrong(GOLD), gold=often))["estimate"] == -0.1
    assert word("overpredicts_minority", study_of(llm=wrong(GOLD), gold=often)) == "does not hold"
    assert word("overpredicts_minority", study_of(llm=wrong(GOLD), gold=wrong(GOLD))) == "does not hold"
    assert word("overpredicts_minority", study_of(**UNSURE)) == "not decided here"


def test_predicted_shares_by_hand():
    counts = np.array([[[3, 1, 0, 1], [0, 4, 1, 0], [1, 1, 2, 2]]])
    assert predicted_share(1)(counts) == pytest.approx([6 / 16])
    assert predicted_share(2)(counts[0]) == pytest.approx(3 / 16)


# repairs


def test_entropy_against_random():
    good, poor = wrong(GOLD, 0.05, 0.01, 1), wrong(GOLD, 0.2, 0.01, 2)
    assert word("entropy_gold_beats_random", study_of(repair=good, repair_random=poor)) == "holds"
    assert word("entropy_gold_beats_random", study_of(repair=poor, repair_random=good)) == "does not hold"
    one = found("entropy_gold_beats_random", study_of(repair=good, repair_random=wrong(GOLD, 0.05, 0.01, 3)))
    assert (one["finding"], one["sources"]) == ("does not hold", ["repair", "repair_random"])
    unsure = {"repair": UNSURE["gold"], "repair_random": UNSURE["llm"]}
    assert word("entropy_gold_beats_random", study_of(rows=60, **unsure)) == "not decided here"
    without = {name: source for name, source in SOURCES.items() if name != "repair_random"}
    assert "control at random of repair" in found("entropy_gold_beats_random", study_of(sources=without))["because"]


@pytest.mark.parametrize(("errors", "expected"), [(0.06, "holds"), (0.24, "does not hold"), (0.15, "not decided here")])
def test_most_of_the_gap(errors, expected):
    runs = {"gold": wrong(GOLD, 0.0, 0.01, 1), "llm": wrong(GOLD, 0.3, 0.01, 2)}
    study = study_of(**runs, repair=wrong(GOLD, errors, 0.01, 3))
    one = found("consistency_gold_recovers", study)
    means = {name: float(macro_f1(study.students[name].counts).mean()) for name in ("gold", "llm", "repair")}
    share = (means["repair"] - means["llm"]) / (means["gold"] - means["llm"])
    assert one["finding"] == expected
    assert one["estimate"] == pytest.approx(share, abs=1e-4)
    assert one["low"] < share < one["high"]
    assert one["sources"] == ["repair", "llm", "gold"]
    # more than half is ruled out, or in, where the contrast with the middle says so
    middle = macro_f1_variances(study).contrast({"repair": 1.0, "llm": -0.5, "gold": -0.5}, 0.95)
    assert (middle.low > 0, middle.high < 0) == (expected == "holds", expected == "does not hold")


def test_no_gap_no_share():
    alike = study_of(llm=wrong(GOLD, 0.1, 0.02, 1), gold=wrong(GOLD, 0.1, 0.02, 2))
    one = found("consistency_gold_recovers", alike)
    assert (one["finding"], one["estimate"]) == ("not decided here", None)
    assert "gap" in one["because"]


def test_consistency_needs_votes():
    runs = {"gold": wrong(GOLD), "llm": wrong(GOLD, 0.3), "repair": wrong(GOLD, 0.05)}
    assert "votes of llm" in found("consistency_gold_recovers", study_of(annotator=LABELS, **runs))["because"]
    chat = {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": "embedded"}
    sampled = chat | {"confidence": "votes", "temperature": 0.6}
    assert "votes of llm" in found("consistency_gold_recovers", study_of(annotator=chat, **runs))["because"]
    assert word("consistency_gold_recovers", study_of(annotator=sampled, **runs)) == "holds"
    without = {name: source for name, source in SOURCES.items() if not name.startswith("repair")}
    one = found("consistency_gold_recovers", study_of(sources=without, gold=runs["gold"], llm=runs["llm"]))
    assert one["because"] == "It needs a source of llm with select by entropy and action gold."


def test_fiellers_bounds_are_where_the_contrast_touches_0():
    study = study_of(gold=wrong(GOLD, 0, 0.05, 1), llm=wrong(GOLD, 0.3, 0.05, 2), repair=wrong(GOLD, 0.1, 0.05, 3))
    variances = macro_f1_variances(study)
    share = share_of_gap(variances, "repair", "llm", "gold", 0.95)
    for bound, side in ((share.low, "low"), (share.high, "high")):
        at = variances.contrast({"repair": 1.0, "llm": bound - 1, "gold": -bound}, 0.95)
        assert getattr(at, side) == pytest.approx(0, abs=1e-9)
    # where the gap is known far better than what is in between, it is the difference over the gap
    nearly = variances.difference("repair", "llm", 0.95)
    gap = variances.difference("gold", "llm", 0.95)
    assert share.estimate == pytest.approx(nearly.estimate / gap.estimate)
    assert share.low > (nearly.low / gap.high)
    assert share.high < (nearly.high / gap.low)


def test_a_share_without_variance_is_a_number():
    runs = {"gold": wrong(GOLD), "llm": wrong(GOLD, 0.0), "repair": wrong(GOLD)}
    runs["llm"][:, :] = 0
    runs["repair"][:, :] = GOLD
    share = share_of_gap(macro_f1_variances(study_of(**runs)), "repair", "llm", "gold", 0.95)
    assert share[:3] == pytest.approx((1, 1, 1))


def test_dropping_rows():
    plain = wrong(GOLD, 0.2, 0.02, 1)
    same = found("dropping_does_not_help", study_of(llm=plain, drop=plain))
    assert (same["finding"], same["sources"]) == ("holds", ["drop", "llm"])
    assert word("dropping_does_not_help", study_of(llm=plain, drop=wrong(GOLD, 0.4, 0.02, 2))) == "holds"
    assert word("dropping_does_not_help", study_of(llm=plain, drop=wrong(GOLD, 0.05, 0.02, 2))) == "does not hold"
    unsure = study_of(rows=60, llm=UNSURE["llm"], drop=UNSURE["gold"])
    assert word("dropping_does_not_help", unsure) == "not decided here"


# student_near_annotator


def test_students_beside_the_annotator_itself():
    labels = wrong(GOLD, 0.2, seeds=1)[0]
    near = found("student_near_annotator", study_of(llm=wrong(GOLD, 0.2), test_labels=labels))
    assert (near["finding"], near["estimate"]) == ("holds", 0)
    assert near["sources"] == ["llm", "llm directly"]
    above = study_of(llm=wrong(GOLD, 0.05, 0.01, 1), test_labels=labels)
    below = study_of(llm=wrong(GOLD, 0.3, 0.01, 1), test_labels=labels)
    assert word("student_near_annotator", above) == "holds"
    assert word("student_near_annotator", below) == "does not hold"
    unsure = study_of(rows=60, llm=UNSURE["llm"], test_labels=UNSURE["gold"][0])
    assert found("student_near_annotator", unsure)["because"] == "The interval holds -0.6 points."
    silent = study_of(test_labels=np.full(600, -1))
    assert "labels of llm on test rows" in found("student_near_annotator", silent)["because"]


def test_the_recipe_names_what_the_students_did():
    curves = pd.DataFrame(
        {"source": ["llm"] * 4 + ["gold"], "seed": [0, 0, 1, 1, 0], "step": [10, 40, 10, 60, 30], "loss": 0.1}
    )
    recipe = findings(study_of(curves=curves))["recipe"]
    assert recipe == {
        "preset": None, "budget": "epochs", "batch_size": 4, "learning_rate": 0.1, "seeds": 5,
        "steps": {"llm": 50.0, "gold": 30.0}, "converged": {},
    }  # fmt: skip
    assert findings(study_of())["recipe"]["steps"] == {}


# the table


def content(finding="holds", preset="papers", estimate=-0.0543, annotators=("llm",)):
    claim = {"finding": finding, "estimate": estimate, "low": -0.1, "high": 0.1, "because": "So it is.", "sources": []}
    none = claim | {"finding": "not decided here", "estimate": None, "low": None, "high": None}
    gap = claim | {"estimate": 0.973, "low": 0.881, "high": None}
    claims = {"llm_worse": claim, "consistency_gold_recovers": gap, "plateau_early": none}
    recipe = {"preset": preset, "budget": "steps", "batch_size": 16, "learning_rate": 2e-5, "seeds": 5}
    return {
        "recipe": recipe | {"steps": {"a": 75.0, "b": 57.0}, "converged": {"a": True, "b": False}},
        "claims": dict.fromkeys(annotators, claims),
    }


def lines_of(text):
    assert all(len(line) <= 80 for line in text.splitlines()), text
    assert text.isascii()
    return [line.rstrip() for line in text.splitlines()]


def cell(lines, name):
    return re.split(" {2,}", next(line for line in lines if line.startswith(name))[len(name) :])


def test_one_file_has_words_intervals_and_reasons():
    lines = lines_of(findings_text({"findings": content("does not hold")}))
    assert lines[0].split() == ["claim", "llm"]
    assert cell(lines, "llm_worse")[-1] == "does not hold -5.4 [-10.0, +10.0]"
    assert cell(lines, "plateau_early")[-1] == "not decided here"
    assert cell(lines, "consistency_gold_recovers")[-1] == "does not hold 97% [88, -]"
    assert cell(lines, "sources converged")[-1] == "1 of 2"
    assert cell(lines, "recipe")[-1] == "papers"
    assert cell(lines, "batch, rate")[-1] == "16, 2e-05"
    assert cell(lines, "steps, seeds")[-1] == "66, 5"
    assert "llm_worse: So it is." in lines


def test_files_stand_side_by_side_and_keep_what_fits():
    two = lines_of(findings_text({"papers": content(), "long": content("not decided here", None)}))
    assert two[0].split() == ["claim", "papers", "long"]
    assert cell(two, "llm_worse")[-2:] == ["yes -5.4 [-10.0, +10.0]", "? -5.4 [-10.0, +10.0]"]
    assert cell(two, "recipe")[-1] == "by steps"
    assert "So it is" not in " ".join(two)
    names = ["babe_papers", "babe_long", "policy_papers", "policy_long"]
    four = lines_of(findings_text({name: content() for name in names}))
    assert cell(two, "consistency_gold_recovers")[-1] == "? 97% [88, -]"
    assert len([line for line in four if line.startswith("llm_worse")]) == 1
    assert cell(four, "llm_worse")[-1] == "yes -5.4"
    assert cell(four, "consistency_gold_recovers")[-1] == "yes 97%"
    twelve = lines_of(findings_text({f"{name}_{place}": content() for name in names for place in (1, 2, 3)}))
    cells = [line.count("yes -5.4") for line in twelve if line.startswith("llm_worse")]
    assert sum(cells) == 12
    assert min(cells[:-1]) >= 3  # blocks of as many as fit


def test_annotators_have_columns_of_their_own():
    lines = lines_of(findings_text({"findings": content(annotators=("gpt", "mistral"))}))
    assert lines[0].split() == ["claim", "gpt", "mistral"]
    assert {"gpt:", "mistral:"} <= set(lines)
    both = findings_text({"a": content(annotators=("gpt", "mistral")), "b": content(annotators=("gpt",))})
    assert both.splitlines()[0].split() == ["claim", "a:gpt", "a:mistral", "b"]
    none = lines_of(findings_text({"a": content(annotators=())}))
    assert none[0].split() == ["claim", "no", "annotator"]


def test_markdown():
    text = findings_markdown({"short": content(), "long": content("does not hold")})
    assert "| claim | short | long |" in text
    assert "| llm_worse | holds -5.4 [-10.0, +10.0] | does not hold -5.4 [-10.0, +10.0] |" in text
    assert "- llm, llm_worse: So it is." in findings_markdown({"findings": content()})


def test_the_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["findings"]) == 1
    assert "run `labelrisk repro` first" in capsys.readouterr().err
    for folder in ("metrics", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "findings.json").write_text(json.dumps(content()))
    assert main(["findings"]) == 0
    assert "llm_worse: So it is." in capsys.readouterr().out
    assert main(["findings", "here=metrics/findings.json", "other/findings.json", "--markdown"]) == 0
    assert "| claim | here | findings |" in capsys.readouterr().out
    assert main(["findings", "metrics/findings.json", "other/findings.json"]) == 1
    assert "two files are called 'findings'" in capsys.readouterr().err
    for text, says in (("{", "is no JSON"), ("{}", "holds no findings")):
        (tmp_path / "broken.json").write_text(text)
        assert main(["findings", "broken.json"]) == 1
        error = capsys.readouterr().err
        assert says in error
        assert error.count("\n") == 1
