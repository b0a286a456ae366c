"""`labelrisk curves`: students of fewer rows, written into params.yaml and trained, and what their curves say."""

from __future__ import annotations

import math
import textwrap
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands import repro
from labelrisk.commands._files import read_named_json
from labelrisk.commands._options import add_durations
from labelrisk.commands.students import check_jobs
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.explanations.curves.plan import CurvePlan
    from labelrisk.params import Settings
    from labelrisk.settings.curve import CurveSettings

HELP = "train students of fewer rows, and say what their learning curves show"
EXAMPLE = "labelrisk curves --small\nlabelrisk curves --off"
FOUND = Path("explanations/curves.json")


def arguments(parser: ArgumentParser) -> None:
    """How many students, how many at once, and where the study is."""
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--small", action="store_true", help="two sources, the three largest sizes, two seeds")
    extent.add_argument("--off", action="store_true", help="no more learning curves: params.yaml asks for no size")
    parser.add_argument("--jobs", type=int, help="students at once (default: by cores, memory and train.threads)")
    parser.add_argument("--training", type=Path, default=Path("data/training"), help="folder of the label sources")
    add_durations(parser)


def run(params: Path, small: bool, off: bool, jobs: int | None, training: Path, durations: Path) -> None:
    """Write the section `curve` of params.yaml, run what that puts out of date, and print what the curves say.

    Sizes that a person wrote there are kept, unless it is to be small.
    Raises LabelRiskError where the study has not been run, has too few rows, or a stage fails; params.yaml then stays
    as it was written, so that `labelrisk repro` goes on.
    """
    from labelrisk.explanations.curves.plan import curve_plan
    from labelrisk.params import load
    from labelrisk.settings.curve import CurveSettings

    check_jobs(jobs)
    settings = load(params)
    if off:
        _write(params, CurveSettings())
        print(f"{params} asks for no learning curves; `labelrisk repro` removes those that were made")
        return
    rows = _labelled_rows(settings, training)
    plan = curve_plan(settings, rows, small)
    if not small and (kept := _written_by_hand(settings, rows)):
        kept_words = (
            f"The section 'curve' of {params} has sizes, sources and seeds already, which are kept; for others change "
            "them there, or run `labelrisk curves --off` first."
        )
        print(textwrap.fill(kept_words, 80, break_long_words=False, break_on_hyphens=False))
        plan = kept
    if not plan.sizes:
        raise LabelRiskError(
            f"the largest source has {max(rows.values()):,} labelled train rows, and learning curves need sizes from "
            "50 on below that; raise prepare.train_rows"
        )
    if plan != _plan_of(settings.curve):
        how = {"sizes": plan.sizes, "sources": plan.sources, "seeds": plan.seeds}
        _write(params, settings.curve.model_copy(update=how))
    print(_announced(settings, plan, rows, durations, jobs))
    repro.run(params, jobs)
    for sentence in read_named_json(FOUND, "curves.json")["says"]:
        print(textwrap.fill(sentence, 80, subsequent_indent="  ", break_long_words=False))


def _plan_of(curve: CurveSettings) -> CurvePlan:
    from labelrisk.explanations.curves.plan import CurvePlan

    return CurvePlan(curve.sizes, curve.sources, curve.seeds)


def _written_by_hand(settings: Settings, rows: dict[str, int]) -> CurvePlan | None:
    """The plan that stands in params.yaml, unless it has no sizes or is one that this command writes."""
    from labelrisk.explanations.curves.plan import curve_plan

    found = _plan_of(settings.curve)
    own = [curve_plan(settings, rows, small) for small in (False, True)]
    return found if found.sizes and found not in own else None


def _labelled_rows(settings: Settings, training: Path) -> dict[str, int]:
    """Of each plain source and of those that curves are of already, for the first seed."""
    import pyarrow.compute as pc

    from labelrisk.explanations.curves.plan import plain_sources
    from labelrisk.files import read_parquet

    found = {}
    for source in dict.fromkeys((*plain_sources(settings), *settings.curve.sources)):
        path = training / source / f"{settings.seeds[0]}.parquet"
        if not path.exists():
            raise LabelRiskError(
                f"{path} is not there, which says how many rows a curve may have; run `labelrisk repro` first"
            )
        rows = read_parquet(path, ["label", "split"])
        found[source] = int(pc.sum(pc.and_(pc.equal(rows["split"], "train"), pc.is_valid(rows["label"]))).as_py() or 0)
    return found


def _announced(settings: Settings, plan: CurvePlan, rows: dict[str, int], durations: Path, jobs: int | None) -> str:
    """How many students, and how long they take here if that is known."""
    from labelrisk.settings.presets import recipe_of
    from labelrisk.students.durations import seconds_per_step
    from labelrisk.students.wanted import at_once

    recipe, seconds, students = recipe_of(settings.train), seconds_per_step(durations), plan.students(rows)
    sizes = ", ".join(f"{size:,}" for size in plan.sizes)
    words = f"learning curves of {', '.join(plan.sources)}: {students} students of {sizes} rows, {plan.seeds} seeds"
    if seconds is None:
        return words
    steps = sum(
        plan.seeds * (settings.curve.steps or recipe.steps_for(rows[source]))
        for source in plan.sources
        for size in plan.sizes
        if size < rows[source]
    )
    side_by_side = min(jobs or at_once(recipe, settings.engine), students)
    minutes = math.ceil(steps * seconds / side_by_side / 60)
    return f"{words}, about {minutes:,} minute{'s' * (minutes != 1)} here"


def _write(params: Path, curve: CurveSettings) -> None:
    """Set the section `curve`; comments, quotes and the order are kept."""
    from ruamel.yaml.comments import CommentedSeq

    from labelrisk.commands._params_file import changed_params

    with changed_params(params) as content:
        for key, values in (("sizes", curve.sizes), ("sources", curve.sources)):
            flow = CommentedSeq(values)
            flow.fa.set_flow_style()
            content["curve"][key] = flow
        content["curve"]["seeds"] = curve.seeds
        content["curve"]["steps"] = curve.steps
