"""Do labels flip when a text is edited so that they should not: single edits, and chains of edits."""

from __future__ import annotations

from collections.abc import Sequence

from labelrisk.charts.chosen_sources import Chosen, chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import Look, number
from labelrisk.charts.panels import Items, Lines, item_panels, line_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.themes import BLUE
from labelrisk.charts.wording import listed, shown_names, times_100, with_bounds


def robustness(files: StudyFiles) -> tuple[Chart, ...]:
    """Flipped labels by edit, and by the length of a chain, a panel for each source."""
    single = rows_of(files.explanations / "robustness.csv", ("source", "edit"))
    chains = rows_of(files.explanations / "robustness_chains.csv", ("source",))
    single = [row for row in single if row["flipped"] is not None]
    chains = [row for row in chains if row["by_then"] is not None]
    charts = []
    if single:
        charts.append(_single(single, chosen_sources(files, (row["source"] for row in single))))
    if chains:
        charts.append(_chains(chains, chosen_sources(files, (row["source"] for row in chains))))
    return tuple(charts)


def _single(found: Sequence[Row], chosen: Chosen) -> Chart:
    edits = {name: text.replace("_", " ") for name, text in shown_names(row["edit"] for row in found).items()}

    def drawn(row: Row) -> Row:
        scores = (("x", "flipped"), ("low", "flipped_low"), ("high", "flipped_high"), ("spoilt", "right_to_wrong"))
        accuracy = (("before", "accuracy_before"), ("after", "accuracy_after"))
        return {"item": edits[row["edit"]], "kind": "flipped", "rows": row["rows"]} | {
            name: times_100(row[of]) for name, of in (*scores, *accuracy)
        }

    told = []
    for source in chosen.panels:
        worst = max((row for row in found if row["source"] == source), key=lambda row: row["flipped"])
        flipped = with_bounds(worst["flipped"], worst["flipped_low"], worst["flipped_high"])
        told.append(f"{chosen.shown[source]}: most under {edits[worst['edit']]}, {flipped} %")
    alternative = f"Labels that an edit flips: {listed(told)}"
    items = Items(
        rows=[{"panel": chosen.shown[row["source"]], **drawn(row)} for row in found if row["source"] in chosen.panels],
        items=list(edits.values()),
        looks={"flipped": Look(BLUE, "circle")},
        axis="labels flipped (%)",
        tooltips=[number("spoilt", "right before, wrong after (%)"), number("before", "accuracy before (%)"),
                  number("after", "accuracy after (%)"), number("rows", "rows edited")],
        behind=[drawn(row) for row in found if row["source"] == chosen.reference] if chosen.beside else (),
        behind_is="flipped for the reference (%)",
        value="flipped (%)",
        item="edit",
    )  # fmt: skip
    return Chart(
        "robustness",
        "Which harmless edits flip labels",
        "Each dot is the share of labels that become another when texts are edited in a way that leaves their "
        f"meaning, with its interval{chosen.grey}: the further right, the more a label hangs on the wording."
        + chosen.said,
        alternative,
        item_panels(items, alternative),
    )


def _chains(found: Sequence[Row], chosen: Chosen) -> Chart:
    def drawn(row: Row) -> Row:
        scores = (("y", "by_then"), ("low", "by_then_low"), ("high", "by_then_high"))
        return {"x": row["edits"], "run": "chain", "rows": row["rows"]} | {
            name: times_100(row[of]) for name, of in scores
        }

    told = []
    for source in chosen.panels:
        last = max((row for row in found if row["source"] == source), key=lambda row: row["edits"])
        by_then = with_bounds(last["by_then"], last["by_then_low"], last["by_then_high"])
        told.append(f"{chosen.shown[source]}: {by_then} % after {last['edits']:g} edits")
    alternative = f"Labels flipped by the end of a chain of edits: {listed(told)}"
    lines = Lines(
        rows=[{"panel": chosen.shown[row["source"]], **drawn(row)} for row in found if row["source"] in chosen.panels],
        x="edits of the chain",
        whole=True,
        y="flipped by then (%)",
        tooltips=[number("x", "edits"), number("y", "flipped by then (%)"), number("low", "interval from"),
                  number("high", "interval to"), number("rows", "rows")],
        behind=[drawn(row) for row in found if row["source"] == chosen.reference] if chosen.beside else (),
        zero=True,
    )  # fmt: skip
    grey = chosen.grey.replace(";", ",")
    return Chart(
        "robustness_chains",
        "How many edits a label withstands",
        "Each line is the share of labels that have flipped after so many edits of one text, with the band of its "
        f"interval{grey}: the steeper, the fewer edits a label withstands." + chosen.said,
        alternative,
        line_panels(lines, alternative),
    )
