"""Which rows change their label with the seed, and is that where the annotator is wrong or unsure."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.chosen_sources import Chosen, chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.forest import Forest, forest
from labelrisk.charts.panels import Lines, line_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE, GREEN, VERMILION
from labelrisk.charts.wording import MOST, listed, shown_names, times_100, with_bounds

LOOKS = {"annotator right": Look(GREEN, "circle"), "annotator wrong": Look(VERMILION, "cross")}
CONTINUOUS = {
    "annotator_entropy": ("entropy of the annotator (nats)", "How unsure the annotator was", "the less sure it was"),
    "distance": (
        "1 - cosine to the nearest train rows",
        "How far a text is from the train rows",
        "the further off it is",
    ),
    "words": ("words of the text", "How long a text is", "the longer it is"),
}


def flips(files: StudyFiles) -> tuple[Chart, ...]:
    """Rows on which seeds disagree where the annotator is right and wrong; and by what is known of a row beforehand."""
    found = rows_of(files.explanations / "flips_bins.csv", ("covariate", "annotator", "source"))
    if not found:
        return ()
    charts = []
    wrong = [row for row in found if row["covariate"] == "annotator_wrong"]
    if wrong:
        charts.append(_where_wrong(wrong, chosen_sources(files, (row["source"] for row in wrong), MOST // 2)))
    for covariate in CONTINUOUS:
        mine = [row for row in found if row["covariate"] == covariate]
        for annotator in list(dict.fromkeys(row["annotator"] for row in mine))[:3]:
            rows = [row for row in mine if row["annotator"] == annotator]
            charts.append(_by(covariate, annotator, rows, chosen_sources(files, (row["source"] for row in rows))))
    return tuple(_numbered(charts))


def _numbered(charts: Sequence[Chart]) -> list[Chart]:
    """Charts of several annotators need names of their own."""
    seen: dict[str, int] = {}
    named = []
    for chart in charts:
        seen[chart.name] = seen.get(chart.name, 0) + 1
        name = chart.name if seen[chart.name] == 1 else f"{chart.name}_{seen[chart.name]}"
        named.append(Chart(name, chart.title, chart.reading, chart.alternative, chart.spec))
    return named


def _where_wrong(found: Sequence[Row], chosen: Chosen) -> Chart:
    several = len({row["annotator"] for row in found}) > 1
    kept = [row for row in found if row["source"] in (*chosen.panels, chosen.reference)]
    called = [f"{row['source']}, {row['annotator']}" if several else row["source"] for row in kept]
    shown = shown_names(called)
    rows = [
        {"name": shown[name], "kind": "annotator wrong" if row["mean"] else "annotator right", "rows": row["rows"],
         "pairs": times_100(row["pairs_disagree"])}
        | {field: times_100(row[of]) for field, of in (("x", "flipped"), ("low", "low"), ("high", "high"))}
        for name, row in zip(called, kept, strict=True)
    ]  # fmt: skip
    by_name = {name: {row["kind"]: row for row in rows if row["name"] == name} for name in shown.values()}
    notes = {
        name: " / ".join(f"{one[kind]['x']:.0f}" for kind in LOOKS if kind in one) + " %"
        for name, one in by_name.items()
    }
    told = [f"{name}: {note}" for name, note in notes.items()]
    alternative = f"Rows on which seeds disagree, where the annotator is right / wrong: {listed(told)}"
    drawn = Forest(
        rows=rows,
        looks=LOOKS,
        axis="rows on which the seeds disagree (%)",
        notes=notes,
        tooltips=[number("pairs", "two seeds disagree (%)"), number("rows", "rows")],
        value="seeds disagree (%)",
    )
    return Chart(
        "flips",
        "Do seeds disagree where the annotator is wrong?",
        "Each pair of marks is the share of rows that get different labels from different seeds, where the annotator "
        "is right and where it is wrong, with intervals; a gap as wide for the reference only says that such rows are "
        "hard." + chosen.said,
        alternative,
        forest(drawn, alternative),
    )


def _by(covariate: str, annotator: str, found: Sequence[Row], chosen: Chosen) -> Chart:
    axis, title, more = CONTINUOUS[covariate]
    titles = shown_names([annotator]) if annotator else {}
    drawn = [{"panel": chosen.shown[row["source"]], **_bin(row)} for row in found if row["source"] in chosen.panels]
    behind = [_bin(row) for row in found if row["source"] == chosen.reference] if chosen.beside else []
    told = []
    for source in chosen.panels:
        mine = [row for row in found if row["source"] == source]
        ends = " to ".join(with_bounds(row["flipped"], row["low"], row["high"]) for row in (mine[0], mine[-1]))
        told.append(f"{chosen.shown[source]}: {ends}")
    alternative = f"Rows on which seeds disagree (%) from the lowest to the highest bin of {axis}: {listed(told)}"
    lines = Lines(
        rows=drawn,
        x=axis,
        y="seeds disagree (%)",
        tooltips=[number("x", axis), number("y", "seeds disagree (%)"), number("low", "interval from"),
                  number("high", "interval to"), number("rows", "rows")],
        behind=behind,
        colour=BLUE,
        zero=True,
    )  # fmt: skip
    grey = chosen.grey.replace(";", ",")
    return Chart(
        f"flips_{covariate}",
        title + (f" ({titles[annotator]})" if annotator else ""),
        "Each dot is a bin of test rows, its height the share on which the seeds disagree, with the band of its "
        f"interval{grey}: a line that climbs says that a label is more a matter of luck {more}." + chosen.said,
        alternative,
        line_panels(lines, alternative),
    )


def _bin(row: Row) -> Row:
    scores = {name: times_100(row[of]) for name, of in (("y", "flipped"), ("low", "low"), ("high", "high"))}
    return {"x": row["mean"], "run": "bins", "rows": row["rows"]} | scores
