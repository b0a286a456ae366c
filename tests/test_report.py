"""The page of a study: what stands on it, what can't get out of a text, and that it is the same each time."""

import base64
import hashlib
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from page_study import ATTACK, HOSTILE, hostile_page, hostile_study, material_of, write_page
from small_study import CLASSES

from labelrisk.corpora.prepared import Prepared
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.kinds import EXPLANATIONS
from labelrisk.report import rows, texts
from labelrisk.report.readings import EXPLAINED
from labelrisk.report.sections import MOST_ROWS, table
from labelrisk.report.security import script_json, visible
from labelrisk.report.terms import TERMS, marked
from labelrisk.report.verdict_sentences import judged_sources, study_sentence
from labelrisk.stages import report

MARKUP = ("script", "style", "title")


class Parsed(HTMLParser):
    """The elements of a page in their order, with what stands in each that holds text alone."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text = [["page", {}, ""]], ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        self.elements.append(["", {}, ""])

    def handle_data(self, data):
        self.elements[-1][2] += data
        if self.elements[-1][0] not in MARKUP:
            self.text += data

    def all(self, tag, **attributes):
        return [one for one in self.elements if one[0] == tag and attributes.items() <= one[1].items()]

    def data(self, name):
        return json.loads(self.all("script", id=f"data-{name}")[0][2])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return hostile_study(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def page(study):
    return hostile_page(study)


@pytest.fixture(scope="module")
def parsed(page):
    return Parsed(page)


def test_the_first_screen_says_the_question_the_verdict_and_each_source(parsed):
    assert [one[2] for one in parsed.all("h1")] == ["What do you risk when you train on these labels instead of gold?"]
    verdict, sources = parsed.text.index("Of 2"), parsed.text.index("Differences are in")
    assert verdict < parsed.text.index("Next step:") < sources
    assert parsed.all("div", **{"data-chart": "verdict/verdict"})


def test_every_analysis_and_every_explanation_has_a_part_with_how_to_read_it(parsed, study):
    keys = [attributes["id"] for _, attributes, _ in parsed.all("section")]
    assert {"sources", "annotators", "baselines", "contrasts", "findings"} <= set(keys)
    told = [name for name in EXPLANATIONS if (study["metrics"].parent / "explanations" / f"{name}.json").exists()]
    assert len(told) > 8
    assert [f"why-{name}" for name in told if f"why-{name}" not in keys] == []
    parts = [key for key in keys if key not in ("verdict", "rows", "provenance", "terms")]
    assert parsed.text.count("How to read it:") == len(parts) + 1  # the rows, too
    for name in told:
        for sentence in json.loads((study["metrics"].parent / "explanations" / f"{name}.json").read_text())["says"]:
            assert sentence in parsed.text


def test_each_kind_of_explanation_has_a_title_and_a_reading_of_its_own():
    assert set(EXPLAINED) == set(EXPLANATIONS)


def test_the_numbers_are_those_of_the_metrics_files(parsed, study):
    sources = json.loads((study["metrics"] / "sources.json").read_text())
    for of in sources.values():
        numbers = [f"{100 * of[key]:.1f}" for key in ("macro_f1", "macro_f1_low", "macro_f1_high")]
        assert f"{numbers[0]} [{numbers[1]}, {numbers[2]}]" in parsed.text


def test_tables_on_demand_hold_what_the_files_hold(parsed, study):
    tables = parsed.data("tables")
    of_bias = next(one for one in tables.values() if one["caption"] == "prediction_bias.csv")
    file = pd.read_csv(study["metrics"].parent / "explanations" / "prediction_bias.csv")
    assert len(of_bias["rows"]) == len(file)
    assert "bias" in of_bias["header"]
    assert "low" not in of_bias["header"]  # it stands beside the estimate


def test_the_policy_names_the_hash_of_each_script_and_style_and_allows_nothing_else(parsed):
    policy = parsed.all("meta", **{"http-equiv": "Content-Security-Policy"})[0][1]["content"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert not re.search("unsafe|http", policy)
    for kind, elements in (("script-src", parsed.all("script")), ("style-src", parsed.all("style"))):
        run = [content for _, attributes, content in elements if attributes.get("type") != "application/json"]
        hashes = [base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() for content in run]
        assert rules[kind].split() == [f"'sha256-{digest}'" for digest in hashes]
    assert len(rules["script-src"].split()) == 2


def test_nothing_is_loaded_and_no_attribute_runs_or_styles(parsed):
    for tag, attributes, _ in parsed.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form-action", "audio", "video")
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")]
        if "href" in attributes:
            assert attributes["href"].startswith(("#", "data:,"))


def test_texts_are_data_and_text_alone(page, parsed):
    content = page.read_text(encoding="utf-8")
    assert content.count("</script>") == content.count("<script") == 5
    assert "\x00" not in content
    assert ATTACK not in parsed.text  # no text stands in the page but as data
    held = parsed.data("rows")["texts"]
    shown = [visible(text[: texts.LENGTHS[0]]) for text in HOSTILE]
    assert [text for text in shown if text not in held] == []
    assert r"a\x00b\x07c\u2028d\u2029e" in held
    assert r"\u202eright to left\u202c and \u2066isolated\u2069" in held


def test_a_long_text_is_cut_and_its_length_said(parsed):
    found = parsed.data("rows")
    place = next(place for place, text in enumerate(found["texts"]) if text.startswith("long x"))
    assert found["lengths"][place] == 100_005
    assert len(found["texts"][place]) == found["longest"] == 10_000


def test_lone_halves_of_characters_are_shown_and_can_be_written():
    assert visible("a\ud800b") == r"a\ud800b"
    script_json(visible("a\ud800b")).encode()
    assert json.loads(script_json("</script>&\u2028")) == "</script>&\u2028"
    assert not re.search("[<>&\u2028]", script_json("</script>&\u2028"))
    assert visible("one\r\ntwo") == "one\ntwo"


def test_the_rows_that_matter_by_hand(parsed):
    """`llm` says west of t03, t04 and t05, whose gold is north; `wavering` has one seed in three wrong on each row, and
    `constant`, from the same labels, says north always.
    """
    found = parsed.data("rows")
    ids = found["ids"]
    marks = {
        (found["reasons"][mark["reason"]]["key"], mark["who"]): [ids[row] for row in mark["rows"]]
        for mark in found["marks"]
    }
    assert sorted(marks["wrong", "llm"]) == ["t03", "t04", "t05"]
    assert not [who for reason, who in marks if reason == "repeated"]
    assert {who for reason, who in marks if reason == "disagree"} == {"wavering"}
    assert len(marks["disagree", "wavering"]) == 60
    row = ids.index("t03")
    assert CLASSES[found["gold"][row]] == "north"
    assert CLASSES[found["annotators"]["llm"]["labels"][row]] == "west"
    assert found["annotators"]["llm"]["sure"][row] == 90
    assert found["sources"]["wavering"]["agree"][row] == 2
    assert found["annotators"]["llm"]["labels"][ids.index("t00")] == -1
    assert found["test_rows"] == 60


def test_rows_worth_buying_still_have_the_annotators_label_the_most_doubtful_first(parsed, study):
    found = parsed.data("rows")
    buy = [mark for mark in found["marks"] if found["reasons"][mark["reason"]]["key"] == "buy"]
    assert {mark["who"]: mark["by"] for mark in buy} == {"constant": "entropy", "wavering": "entropy"}
    labels = pd.read_parquet(study["labels"] / "llm.parquet").set_index("id")["entropy"]
    training = pd.read_parquet(study["training"] / "wavering" / "0.parquet").set_index("id")
    for mark in buy:
        bought = [found["ids"][row] for row in mark["rows"]]
        assert len(bought) in (1, 2)  # a quarter of 10, and of the 4 that have not been bought yet
        assert list(labels[bought]) == sorted(labels[bought], reverse=True)
    bought = [found["ids"][row] for mark in buy if mark["who"] == "wavering" for row in mark["rows"]]
    assert set(training.loc[bought, "origin"]) == {"annotator"}
    assert all(row >= found["test_rows"] for mark in buy for row in mark["rows"])


def test_fewer_rows_are_held_where_there_is_little_room(study):
    material, prepared = material_of(study)
    found = {room: rows.rows_that_matter(material, prepared, room, with_texts=True) for room in (30_000, 4_500)}
    for room, content in found.items():
        assert len(script_json(content).encode()) <= room
        for reason in content["reasons"]:
            assert 0 <= reason["left_out"] <= reason["total"]
    left_out = {room: sum(reason["left_out"] for reason in content["reasons"]) for room, content in found.items()}
    assert left_out[4_500] > left_out[30_000] == 0
    assert len(found[4_500]["ids"]) < len(found[30_000]["ids"])


def test_without_texts_the_page_holds_none(study, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "charts_of", lambda files: {})
    page = write_page(study, tmp_path / "report", share={"texts": False})
    found = Parsed(page).data("rows")
    assert found["texts"] == []
    assert len(found["ids"]) > 60
    words = [text for text in Prepared(study["prepared"]).rows(["text"])["text"] if len(text) > 8]
    content = page.read_text(encoding="utf-8")
    assert not [text for text in words if text[:40] in content]


def test_the_same_inputs_give_the_same_bytes(study, page, tmp_path):
    assert write_page(study, tmp_path / "again").read_bytes() == page.read_bytes()


def test_it_is_small(page):
    assert page.stat().st_size < 3_000_000


def test_where_it_comes_from(parsed, study):
    labels = hashlib.md5((study["labels"] / "llm.parquet").read_bytes()).hexdigest()
    assert labels in parsed.text
    assert "git log -S" in parsed.text
    assert "learning_rate: 0.1" in parsed.text  # params
    assert "torch" in parsed.text


def test_a_study_without_explanations_is_one_sentence(study, tmp_path):
    paths = {name: tmp_path / "study" / name for name in study}
    shutil.copytree(study["metrics"].parent, tmp_path / "study")
    shutil.rmtree(tmp_path / "study" / "explanations")
    with pytest.raises(LabelRiskError, match="holds no explanations; run"):
        write_page(paths, tmp_path / "report")
    (tmp_path / "study" / "metrics" / "verdict.json").unlink()
    with pytest.raises(LabelRiskError, match=r"verdict\.json is not there; run `dvc repro`"):
        write_page(paths, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_terms_are_marked_once_and_the_pieces_are_the_sentence():
    sentence = "The seed of seeds: alpha, Alphabet, macro-F1 and the margin's margin."
    pieces = list(marked(sentence))
    assert "".join(piece for piece, _ in pieces) == sentence
    assert [piece for piece, term in pieces if term] == ["seed", "alpha", "macro-F1", "margin"]
    assert len({term.key for term in TERMS}) == len(TERMS)


def test_the_sentence_of_the_study():
    def verdict(**words):
        sources = {"gold": {"verdict": "reference", "because": "", "difference": None}}
        sources |= {name: {"verdict": word, "because": name, "difference": 0.0} for name, word in words.items()}
        return {"sources": sources, "margin": 0.02, "confidence": 0.95}

    assert study_sentence(verdict(a="safe", b="risky", c="can't tell", d="risky")) == (
        "Of 4 label sources, 2 are risky, 1 is neither risky nor safe for sure and 1 is safe, if a loss of 2 points of "
        "macro-F1 is accepted (95 % confidence)."
    )
    assert "Of 1 label source, 1 loses a class, if" in study_sentence(verdict(a="loses a class"))
    assert "nothing to judge" in study_sentence(verdict())
    assert [one.source for one in judged_sources(verdict(a="safe", b="risky", c="can't tell"))] == ["b", "c", "a"]


def test_a_long_table_says_what_it_leaves_out():
    long = table(
        "t", ["a", "b"], [[str(row), "1,000.5 [2, 3]" if row else "-"] for row in range(MOST_ROWS + 7)], "f.csv"
    )
    assert (len(long.rows), long.left_out, long.numbers) == (MOST_ROWS, 7, ("b",))
    assert table("t", ["a", "b"], [["1", "x"], ["2", "3"]], "f.csv").numbers == ()


def test_the_share_of_a_text_that_is_held_falls_with_the_room():
    long = ["x" * 20_000] * 10
    assert texts.fitting(long, 10**6).longest == 10_000
    assert texts.fitting(long, 30_000).longest == 2_500
    assert texts.fitting(long, 1_000) is None
    assert np.unique(texts.fitting(long, 30_000).lengths) == [20_000]
