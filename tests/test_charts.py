"""The charts of the page: valid specs whose numbers are those of the files, whatever a study's names and size are."""

import csv
import html
import json
import shutil
import subprocess

import pytest
import vl_convert

from labelrisk.charts.contract import StudyFiles
from labelrisk.charts.fitting import SCRIPT, fitted
from labelrisk.charts.kinds import SECTIONS, charts_of
from labelrisk.charts.looks import DECISIONS, VERDICTS, looks_of
from labelrisk.charts.sections.confusions import confusions
from labelrisk.charts.sections.downstream import downstream
from labelrisk.charts.sections.frontier import frontier
from labelrisk.charts.sections.sources import sources
from labelrisk.charts.sections.stability import stability
from labelrisk.charts.sections.verdict import verdict
from labelrisk.charts.themes import COLOURS, config_of
from labelrisk.charts.wording import extremes, shown_names
from labelrisk.errors import LabelRiskError
from labelrisk.explanations.kinds import EXPLANATIONS

WIDTHS = (340, 900)
NAMING = {"class", "gold", "predicted", "slice", "column", "coefficient", "part"}  # columns with words of a user
MEETING = (  # words that stand in one chart
    ("better", "worse", "equivalent", "not decided", "not judged"),
    ("too often", "too rarely", "little", "not decided"),
    ("more", "fewer", "equivalent", "not decided"),
    ("shared", "shared less", "not decided", "by construction"),
)
HOSTILE = [
    "</script><script>document.title = 'taken'</script>",
    "<img src=x onerror=\"document.title = 'taken'\">",
    "'];document.title='taken';//",
    '"] = datum["x"]',
    "a.b[0]\\u0027",
    "\u202eleft to right",
    "",
    "x" * 3_000,
    "\x00\x1b[31m\u2028",
    "NA",
]


def files_of(folder):
    return StudyFiles(folder / "metrics", folder / "plots", folder / "explanations")


def rows_in(chart):
    """All rows of data of a chart."""
    return [row for rows in chart.spec["datasets"].values() for row in rows]


@pytest.fixture(scope="module")
def study(example, tmp_path_factory):
    """The committed run, which is small and has every file but learning curves; these are added."""
    folder = tmp_path_factory.mktemp("study")
    for name in ("metrics", "plots", "explanations"):
        shutil.copytree(example / name, folder / name)
    lines = ["source,rows,seeds,macro_f1,low,high,steps,fit,to_come,converged"]
    reference = next(iter(json.loads((example / "metrics/sources.json").read_text())))
    lines += [f"{reference},{rows},3,0.{rows},0.1,0.9,300.0,0.99,-0.01,True" for rows in (50, 60)]
    (folder / "explanations" / "curves.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def charts(study):
    return charts_of(files_of(study))


def test_every_analysis_and_explanation_has_charts(charts):
    assert set(EXPLANATIONS) <= set(SECTIONS)
    assert list(charts) == list(SECTIONS)
    without = {name for name, found in charts.items() if not found}
    assert without <= {"slices", "annotators"}  # where a corpus has no columns, or nobody labelled gold rows
    names = [chart.name for found in charts.values() for chart in found]
    assert len(set(names)) == len(names)


def test_specs_are_valid_small_and_drawn_without_warnings(charts, capfd):
    everything = [chart for found in charts.values() for chart in found]
    assert sum(len(json.dumps(chart.spec)) for chart in everything) < 400_000
    for place, chart in enumerate(everything):
        spec = fitted(chart.spec, WIDTHS[place % 2])
        spec["config"] = config_of("dark") | spec["config"]
        vega = vl_convert.vegalite_to_vega(spec, show_warnings=True)
        assert vega["marks"]
        assert '"url":' not in json.dumps(spec)  # nothing is loaded
    assert "WARN" not in "".join(capfd.readouterr())


def test_titles_readings_and_alternatives_are_sentences(charts):
    for chart in (chart for found in charts.values() for chart in found):
        assert chart.title
        assert chart.reading.endswith(".")
        assert chart.reading.count(". ") <= chart.reading.count(" are shown.")
        assert chart.alternative.endswith(".")
        assert any(character.isdigit() for character in chart.alternative)
        assert chart.spec["description"] == chart.alternative


def test_the_picture_of_the_verdict_has_the_numbers_of_the_verdict(study, charts):
    found = json.loads((study / "metrics/verdict.json").read_text())
    (chart,) = charts["verdict"]
    drawn = {row["name"]: row for row in rows_in(chart) if "because" in row}
    assert list(drawn) == [name for name, one in found["sources"].items() if one["difference"] is not None]
    for name, row in drawn.items():
        one = found["sources"][name]
        numbers = [round(100 * one[key], 2) for key in ("difference", "low", "high")]
        assert [row["x"], row["low"], row["high"]] == numbers
        assert (row["kind"], row["because"]) == (one["verdict"], one["because"])
        assert f"{name}: {one['verdict']}, " in chart.alternative
    assert {row["x2"] for row in rows_in(chart) if "x2" in row} >= {-100 * found["margin"]}


def test_numbers_of_tables_are_drawn_in_points(study, charts):
    with (study / "plots/classes.csv").open() as file:
        table = [row for row in csv.DictReader(file) if row["kind"] == "student"]
    (chart,) = charts["classes"]
    drawn = {
        (row["panel"], row["item"]): (row["x"], row["low"], row["high"]) for row in rows_in(chart) if "panel" in row
    }
    for row in table:
        if (row["name"], row["class"]) in drawn:
            numbers = tuple(round(100 * float(row[key]), 2) for key in ("f1", "f1_low", "f1_high"))
            assert drawn[row["name"], row["class"]] == numbers
    assert len(drawn) > 1


def test_shares_and_coefficients_are_off_by_points(tmp_path):
    (tmp_path / "explanations").mkdir()
    header = "kind,labels,{},method,truth,estimate,low,high,bias,rmse,width,coverage,told,seeds_sd"
    numbers = "naive,.5,.4,.35,.45,-.1,.02,.1,.9,1,"  # a coefficient is one of a linear probability model
    for file, column in (("downstream.csv", "class"), ("downstream_coefficients.csv", "coefficient")):
        (tmp_path / "explanations" / file).write_text(f"{header.format(column)}\nannotator,llm,a,{numbers}\n")
    for chart in downstream(files_of(tmp_path)):
        (row,) = (row for row in rows_in(chart) if "panel" in row)
        assert (row["x"], row["low"], row["high"], row["truth"], row["estimate"]) == (-10, -15, -5, 50, 40)
        assert "llm: labels as they are 2.00." in chart.alternative
        assert "points" in chart.alternative


def test_a_matrix_of_confusions_counts_rows(tmp_path):
    (tmp_path / "plots").mkdir()
    lines = ["one,a,a"] * 3 + ["one,a,b"] + ["one,b,b"] * 2 + ["one,b,"] * 2
    (tmp_path / "plots/confusion_student.csv").write_text("source,gold,predicted\n" + "\n".join(lines))
    (chart,) = confusions(files_of(tmp_path))
    cells = {(row["gold"], row["predicted"]): (row["share"], row["rows"]) for row in rows_in(chart)}
    assert cells == {("a", "a"): (75, 3), ("a", "b"): (25, 1), ("b", "b"): (50, 2), ("b", "(no label)"): (50, 2)}
    assert chart.alternative == "Most frequent confusion of each: one: b as (no label), 50 % of the rows."


def test_the_line_of_the_frontier_is_what_random_rows_buy(tmp_path):
    (tmp_path / "plots").mkdir()
    lines = ["gold,400,,.8,.7,.9,gold,gold", "plain,0,0.0,.6,.5,.7,plain,llm", "best,100,0.0,.75,.7,.8,chosen,llm"]
    lines += ["twin,100,0.0,.65,.6,.7,random,llm", "dropped,0,0.0,.5,.4,.6,random,llm"]
    header = "source,gold_labels,money,macro_f1,low,high,kind,annotator"
    (tmp_path / "plots/frontier.csv").write_text("\n".join([header, *lines]))
    (chart,) = frontier(files_of(tmp_path))  # no money was spent
    line = [(row["x"], row["y"]) for row in rows_in(chart) if set(row) == {"x", "y", "annotator"}]
    assert line == [(0, 60), (100, 65), (400, 80)]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_are_seen_on_both_pages(theme):
    page = {"light": "#ffffff", "dark": "#161616"}[theme]
    config = config_of(theme)
    for colour in (*COLOURS, config["text"]["color"], config["axis"]["titleColor"], config["style"]["quiet"]["stroke"]):
        assert contrast(colour, page) >= 3
    assert contrast(config["axis"]["labelColor"], page) >= 7


def contrast(one, other):
    """WCAG 2.1, 1.4.3."""

    def luminance(colour):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_words_of_one_chart_are_told_apart_without_colour():
    for words in (VERDICTS, *MEETING):
        looks = looks_of(words, {**VERDICTS, **DECISIONS})
        assert len({look.shape for look in looks.values()}) == len(words)
    assert looks_of(["a new word"], DECISIONS)["a new word"]


def test_a_study_without_files_has_no_charts(tmp_path):
    assert charts_of(files_of(tmp_path)) == dict.fromkeys(SECTIONS, ())


def test_tables_without_rows_give_no_charts(tmp_path, study):
    for folder in ("plots", "explanations"):
        (tmp_path / folder).mkdir()
        for path in (study / folder).glob("*.csv"):
            (tmp_path / folder / path.name).write_text(path.read_text().splitlines()[0] + "\n")
    assert charts_of(files_of(tmp_path)) == dict.fromkeys(SECTIONS, ())


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/frontier.csv").write_text("source,gold_labels,money\ngold,many\n")
    with pytest.raises(LabelRiskError, match=r"frontier\.csv is damaged .*remove it and run `dvc repro`"):
        frontier(files_of(tmp_path))


def scores(**others):
    spread = {"macro_f1_low": 0.6, "macro_f1_high": 0.8, "macro_f1_sd": 0.01, "accuracy": 0.7}
    return {"macro_f1": 0.7, "alpha": None, "p_uc": None, "rows": 9, "gold_labels": 9, **spread, **others}


def write_metrics(folder, sources_json, verdict_json):
    (folder / "metrics").mkdir()
    (folder / "metrics/sources.json").write_text(json.dumps(sources_json))
    (folder / "metrics/verdict.json").write_text(json.dumps(verdict_json))


def test_one_source_alone_is_drawn_where_it_can_be(tmp_path):
    judged = {"difference": None, "low": None, "high": None, "verdict": "reference", "because": "alone"}
    write_metrics(tmp_path, {"gold": scores()}, {"margin": 0.02, "confidence": 0.95, "sources": {"gold": judged}})
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots/classes.csv").write_text(
        "kind,name,class,precision,recall,f1,support,f1_low,f1_high\nstudent,gold,a,.5,.5,.5,9,.4,.6\n"
    )
    (tmp_path / "plots/curves.csv").write_text("source,seed,step,loss,validation_macro_f1\ngold,0,20,1.5,\n")
    found = {name: charts for name, charts in charts_of(files_of(tmp_path)).items() if charts}
    assert list(found) == ["sources", "classes", "training"]
    assert [chart.name for chart in found["training"]] == ["training_loss"]  # nothing else was logged
    for charts in found.values():
        for chart in charts:
            assert vl_convert.vegalite_to_vega(fitted(chart.spec, 340))["marks"]


def test_of_400_sources_the_best_and_the_worst_are_shown(tmp_path):
    names = [f"source_{number}" for number in range(400)]
    judged = {
        name: {"difference": -number / 1000, "low": -0.5, "high": 0.1, "verdict": "risky", "because": "so"}
        for number, name in enumerate(names)
    }
    judged["gold"] = {"difference": None}
    all_scores = {name: scores(macro_f1=0.9 - number / 1000, alpha=0.5, alpha_low=0.4, alpha_high=0.6, p_uc=0.5)
                  for number, name in enumerate(names)}  # fmt: skip
    all_scores["gold"] = scores()
    write_metrics(tmp_path, all_scores, {"margin": 0.02, "confidence": 0.95, "sources": judged})
    files = files_of(tmp_path)
    for section in (verdict, sources, stability):
        (chart,) = section(files)
        shown = list(dict.fromkeys(row["name"] for row in rows_in(chart) if "name" in row and row["name"] != "gold"))
        assert shown == [*names[:20], *names[-20:]]
        assert "Of 400 sources the 40" in chart.reading
        assert len(json.dumps(chart.spec)) < 60_000
        assert fitted(chart.spec, 340)["height"] < 2_500


def test_names_stay_apart_and_the_ends_of_many_are_taken():
    shown = shown_names(["x" * 200 + "a" + "y" * 200, "x" * 200 + "b" + "y" * 200, "", "\x1b", "same", "same"])
    assert len(set(shown.values())) == len(shown) == 5
    assert all(len(name) <= 90 and name.isprintable() for name in shown.values())
    values = dict(zip("abcdef", (3, 9, 1, 4, 8, 2), strict=True))
    assert extremes(values, 4) == ["b", "c", "e", "f"]
    assert extremes(values, 4, kept="d") == ["b", "c", "d", "e"]
    assert extremes(values, 6) == list("abcdef")


def hostile_study(folder, study):
    """The study with hostile names of classes, slices and edits."""
    shutil.copytree(study, folder, dirs_exist_ok=True)
    for path in [*(folder / "plots").glob("*.csv"), *(folder / "explanations").glob("*.csv")]:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        for column in {"class", "gold", "predicted", "slice", "column", "coefficient", "part"} & set(
            rows[0] if rows else ()
        ):
            known = list(dict.fromkeys(row[column] for row in rows))
            for row in rows:
                row[column] = HOSTILE[known.index(row[column]) % len(HOSTILE)]
        if rows:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
    return folder


@pytest.fixture(scope="module")
def hostile(study, tmp_path_factory):
    found = charts_of(files_of(hostile_study(tmp_path_factory.mktemp("hostile"), study)))
    return {f"{name}/{chart.name}": chart for name, charts in found.items() for chart in charts}


def test_names_of_classes_reach_no_expression_and_no_field(hostile):
    drawn = False
    for chart in hostile.values():
        without_data = json.dumps({key: value for key, value in chart.spec.items() if key != "datasets"})
        assert len(json.dumps(chart.spec)) < 120_000
        vega = vl_convert.vegalite_to_vega(fitted(chart.spec, 340))
        for expression in expressions(vega):
            assert "taken" not in expression
        drawn = drawn or "taken" in without_data  # as a domain or a description
    assert drawn


def expressions(part):
    """All that Vega evaluates: strings under these keys of a spec."""
    if isinstance(part, list):
        for one in part:
            yield from expressions(one)
    elif isinstance(part, dict):
        for key, value in part.items():
            if key in ("expr", "signal", "update", "test", "init", "field", "as", "groupby") and isinstance(value, str):
                yield value
            if key != "values":
                yield from expressions(value)


PAGE = """<!DOCTYPE html><meta charset="utf-8"><title>charts</title>
<script>{bundle}</script><script>{script}</script><div id="at"></div><pre id="said"></pre>
<script>
const specs = {specs}, said = {{fitted: {{}}, errors: [], tips: []}};
window.onerror = (message) => said.errors.push(String(message));
(async () => {{
  for (const [name, spec] of Object.entries(specs)) {{
    said.fitted[name] = [340, 900].map((width) => labelriskFitted(spec, width));
    const at = document.getElementById("at");
    const warn = console.warn;
    console.warn = (...words) => said.errors.push(words.join(" "));
    const drawn = await vegaEmbed(at, labelriskFitted(spec, 340), {{ast: true, renderer: "svg", config: {config}}});
    console.warn = warn;
    const mark = at.querySelector(".mark-symbol path, .mark-rect path");
    const item = mark && mark.__data__;
    if (item && item.tooltip) {{
      const box = mark.getBoundingClientRect();
      for (const kind of ["mouseover", "mousemove", "pointermove", "pointerover"])
        mark.dispatchEvent(new PointerEvent(kind, {{bubbles: true, clientX: box.x + 2, clientY: box.y + 2}}));
      const tip = document.getElementById("vg-tooltip-element");
      if (tip) said.tips.push([name, tip.querySelectorAll("script, img").length, tip.textContent.length]);
    }}
    said.width = Math.max(said.width || 0, at.querySelector("svg").getBoundingClientRect().width);
    drawn.finalize();
  }}
  said.title = document.title;
  document.getElementById("said").textContent = JSON.stringify(said);
}})();
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium")
def test_a_browser_draws_them_and_shows_names_as_text(hostile, tmp_path):
    specs = json.dumps({name: chart.spec for name, chart in hostile.items()}).replace("<", "\\u003c")
    bundle = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").replace("</script", "<\\/script")
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(bundle=bundle, script=SCRIPT, specs=specs, config=json.dumps(config_of("light"))))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"]
    command = ["chromium", *options, f"--user-data-dir={tmp_path}/browser", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=100).stdout
    said = json.loads(html.unescape(shown.partition('<pre id="said">')[2].partition("</pre>")[0]))
    assert said["errors"] == []
    assert said["title"] == "charts"
    assert len(said["tips"]) > 5
    assert all(not elements and length for _, elements, length in said["tips"])
    assert said["width"] <= 345
    for name, chart in hostile.items():
        assert said["fitted"][name] == [fitted(chart.spec, width) for width in WIDTHS]
