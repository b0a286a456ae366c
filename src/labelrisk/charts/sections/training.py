"""Training: the score on validation rows and the loss, by step."""

from __future__ import annotations

from labelrisk.charts.chosen_sources import chosen_sources
from labelrisk.charts.contract import Chart, StudyFiles
from labelrisk.charts.drawing import number
from labelrisk.charts.panels import Lines, line_panels
from labelrisk.charts.study_files import Row, rows_of
from labelrisk.charts.wording import listed

READINGS = {
    "validation_macro_f1": (
        "training",
        "Was training long enough?",
        "macro-F1 on validation (x100)",
        "A thick line is the mean over the seeds of a source, thin lines its seeds{grey}: a line that still climbs at "
        "its end would gain from more steps.",
    ),
    "loss": (
        "training_loss",
        "How well students fit their labels",
        "training loss (nats)",
        "A thick line is the mean over the seeds of a source, thin lines its seeds{grey}: where it stays high, the "
        "labels can't be learned from the texts in so many steps.",
    ),
}
POINTS = 60  # of one line; longer ones are thinned out


def training(files: StudyFiles) -> tuple[Chart, ...]:
    """A panel for each source, for validation macro-F1 and for the loss, where they were logged."""
    logged = rows_of(files.plots / "curves.csv", ("source", "seed"))
    return tuple(
        _chart(files, metric, [row for row in logged if row.get(metric) is not None])
        for metric in READINGS
        if any(row.get(metric) is not None for row in logged)
    )


def _chart(files: StudyFiles, metric: str, logged: list[Row]) -> Chart:
    name, title, axis, reading = READINGS[metric]
    chosen = chosen_sources(files, (row["source"] for row in logged))
    scale = 100 if metric == "validation_macro_f1" else 1
    runs, means, behind, told = [], [], [], []
    for source in (chosen.reference, *chosen.panels):
        mine = [row for row in logged if row["source"] == source]
        steps = sorted({row["step"] for row in mine})
        steps = steps[:: -(-len(steps) // POINTS)] if steps else []
        by_step: dict[float, list[float]] = {step: [] for step in steps}
        for row in mine:
            if row["step"] in by_step:
                by_step[row["step"]].append(scale * row[metric])
        mean = [{"x": step, "y": round(sum(found) / len(found), 3), "run": "mean"} for step, found in by_step.items()]
        if source == chosen.reference and chosen.beside:
            behind = mean
            continue
        panel = {"panel": chosen.shown[source]} if source in chosen.shown else None
        if panel is None:
            continue
        means += [panel | row for row in mean]
        runs += [panel | {"x": row["step"], "y": round(scale * row[metric], 3), "run": row["seed"]}
                 for row in mine if row["step"] in by_step]  # fmt: skip
        told.append(
            f"{chosen.shown[source]}: {mean[0]['y']:.1f} at step {steps[0]:g}, {mean[-1]['y']:.1f} at {steps[-1]:g}"
        )
    alternative = f"{axis[0].upper()}{axis[1:]}, mean over seeds: {listed(told)}"
    drawn = Lines(
        rows=means,
        x="training step",
        y=axis,
        tooltips=[number("x", "step"), number("y", "mean over seeds")],
        runs=runs,
        behind=behind,
        points=False,
    )
    return Chart(
        name, title, reading.format(grey=chosen.grey.replace(";", ",")) + chosen.said, alternative,
        line_panels(drawn, alternative),
    )  # fmt: skip
