"""What is printed at the end of a run: rows without a label, corrected class shares, and whether texts are unlike."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from labelrisk.applying.shares import GOLD, ClassShares
from labelrisk.applying.summary import Summary
from labelrisk.classifiers.calibration import Coverage, Thresholds
from labelrisk.errors import shown
from labelrisk.statistics.conformal import held_by_chance
from labelrisk.statistics.shares import Share
from labelrisk.statistics.unlikeness import Unlike
from labelrisk.text_tables import WIDTH, text_table

SLICES = 20  # of a table
ADVICE = "do not trust it; let people label rows drawn at random, and give --gold."
NAME = 8  # letters that a name keeps


def report(summary: Summary, tokens: int, name: str, graph: str | None = None) -> str:
    """All of it, at most 80 columns wide; tokens: after how many a text is cut; name: of what was written.

    graph: what was measured of the graph that read the texts.
    """
    of_graph = [_filled(graph)] if graph else []
    parts = [*_rows(summary, tokens, name), *of_graph, *_sets(summary), *_shares(summary), *_unlike(summary)]
    return "\n\n".join(parts)


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _rows(summary: Summary, tokens: int, name: str) -> Iterator[str]:
    whole = summary.whole
    text = f"{name}: {whole.read:,} rows, {whole.rows:,} with a label"
    if whole.reasons:
        text += "; without: " + ", ".join(f"{number:,} {reason}" for reason, number in sorted(whole.reasons.items()))
    if whole.full:
        many = "text has" if whole.full == 1 else "texts have"
        text += f"; {whole.full:,} {many} {tokens} tokens or more, of which the first {tokens} are read"
    yield _filled(f"{text}.")


def _sets(summary: Summary) -> Iterator[str]:
    if summary.calibration is None:
        return
    form = summary.calibration.form
    text = f"Sets are made to hold the right label of {100 * (1 - form.sets.risk):g} % of texts like the study's"
    if form.sets.all_rows is None:
        text = "Sets hold all classes, for too few validation rows have gold"
    elif measured := form.sets.on_test:
        text += f"; on its {measured.rows:,} test rows they do for {_shown(_share_of(measured))} %"
        text += _against_luck(form.sets, measured, form.confidence)
    if form.temperature == 1:
        text += f"; confidence is as the students say it, for {form.validation_rows} validation rows fit no temperature"
    yield _filled(f"{text}.")


def _against_luck(sets: Thresholds, measured: Coverage, confidence: float) -> str:
    """Whether the measured share is one that the luck of validation and test rows explains."""
    luck = held_by_chance(sets.validation_rows, sets.risk, measured.rows, confidence)
    if luck is None:
        return ""
    low, high = luck
    text = f", where the luck of {sets.validation_rows:,} validation rows allows {100 * low:.1f} to {100 * high:.1f}"
    if measured.share < low:
        text += ": fewer than luck explains, so count on the measured share"
    return text


def _share_of(one: Coverage) -> Share:
    return Share(one.share, one.low, one.high)


def _shares(summary: Summary) -> Iterator[str]:
    found = summary.shares(summary.whole)
    if found is None:
        return
    if found.corrected is None:
        yield _filled(
            f"Class shares can't be corrected, for {found.why_not}, and are not told: a count of labels may be far off."
        )
        return
    lines = [
        [name, f"{100 * found.naive[code]:.1f}", _shown(found.corrected[code])]
        for code, name in enumerate(summary.classes)
    ]
    yield text_table(["class", "naive", "corrected"], lines, WIDTH, NAME)
    yield _filled(_about_shares(summary, found))


def _about_shares(summary: Summary, found: ClassShares) -> str:
    text = "Shares x100; naive: the labels counted"
    if summary.calibration is None:
        return f"{text}."
    level = f"{100 * summary.calibration.form.confidence:g}"
    if found.method == GOLD:
        return (
            f"{text}; corrected [{level} % interval]: by the {summary.whole.with_gold:,} rows with gold (PPI++), "
            "which must be a random sample, or have their chances in --probability."
        )
    text += (
        f"; corrected [{level} % interval]: by how the classifier errs on the {len(summary.calibration.gold):,} "
        "test rows of the study, which chose nothing. It takes for granted that only the shares of classes differ "
        "from the study's (label shift): texts of a class are the same in both."
    )
    if summary.is_unlike:
        text += f" These texts are not (below): {ADVICE}"
    elif found.refuted:
        text += f" The answers fit no shares at all, so that this does not hold here: {ADVICE}"
    return text


def _unlike(summary: Summary) -> Iterator[str]:
    found = summary.unlike(summary.whole)
    if found is None or summary.calibration is None:
        return
    if found.by_chance >= 1:
        yield _filled(
            "Whether the texts are like those the classifier learned from is not told: too few validation rows."
        )
        return
    sentence = (
        f"{_shown(found.share)} % of them are farther from the train texts than all but "
        f"{100 * summary.calibration.form.unlike:g} % of the validation texts are; by chance it is up to "
        f"{100 * found.by_chance:.1f} %"
    )
    if summary.is_unlike:
        yield _filled(
            f"WARNING: these texts are not like those the classifier learned from: {sentence}. Where a row is "
            "`unlike`, neither its label nor its confidence and set are to be trusted."
        )
    else:
        yield _filled(f"No sign that the texts are unlike those the classifier learned from: {sentence}.")
    slices = summary.slices
    if not slices:
        return
    warned = set(summary.warned_slices())
    lines = [
        [shown(name, 60), f"{of.rows:,}", _cell(summary.unlike(of)), "WARNING" if name in warned else ""]
        for name, of in list(slices.items())[:SLICES]
    ]
    yield text_table(["slice", "rows", "unlike %", ""], lines, WIDTH, NAME)
    hidden = [name for name in list(slices)[SLICES:] if name in warned]
    if len(slices) > SLICES:
        yield _filled(
            f"{len(slices) - SLICES:,} more slices, {len(hidden):,} of them with a warning; --shares FILE lists all."
        )


def _cell(found: Unlike | None) -> str:
    return "-" if found is None else _shown(found.share)


def _shown(share: Share) -> str:
    return f"{100 * share.share:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"
