"""ensemble: votes of the students of one source over its seeds, and of several sources together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from labelrisk.comparison.risk import interval, resampled_macro_f1, row_weights, run_macro_f1
from labelrisk.comparison.runs import codes, probabilities
from labelrisk.files import read_json, write_json, write_parquet, written_aside
from labelrisk.params import ACROSS, Settings
from labelrisk.statistics.scores import accuracy, confusion, rounded
from labelrisk.statistics.votes import hard_vote, mean_probabilities, soft_vote


def run(settings: Settings, runs: Path, prepared: Path, metrics: Path, plots: Path, predictions: Path) -> None:
    """Write the scores of soft and hard votes (JSON and CSV) and their predictions on the test rows.

    The vote of a source counts its seeds; 'across' counts all seeds of all sources in ensemble.across. `gain` is the
    vote's macro-F1 minus the mean macro-F1 of the students that vote. Intervals resample the test rows and keep the
    students, with the same draws as evaluate.
    """
    frame = pd.read_parquet(runs)
    classes = read_json(prepared / "labels.json")
    test = pd.read_parquet(prepared / "test.parquet")
    gold = codes(test["gold"], classes)
    stacks = {source: probabilities(frame, source, "test", test["id"]) for source in settings.sources}
    if settings.ensemble.across:
        stacks[ACROSS] = np.concatenate([stacks[source] for source in settings.ensemble.across])

    how = settings.evaluate
    weights = row_weights(len(gold), how.resamples, np.random.default_rng([how.seed, 0]))
    scores, votes = [], []
    for name, stack in stacks.items():
        students = stack.argmax(axis=-1)
        single = run_macro_f1(gold, students, len(classes)).mean()
        single_resampled = resampled_macro_f1(gold, students, len(classes), weights).mean(axis=1)
        ballots = {"soft": soft_vote(stack), "hard": hard_vote(stack)}
        for vote, winners in ballots.items():
            macro_f1 = run_macro_f1(gold, winners[None], len(classes))[0]
            resampled = resampled_macro_f1(gold, winners[None], len(classes), weights)[:, 0]
            low, high = interval(resampled, how.confidence)
            gain_low, gain_high = interval(resampled - single_resampled, how.confidence)
            row = {
                "accuracy": accuracy(confusion(gold, winners, len(classes))),
                "macro_f1": macro_f1,
                "low": low,
                "high": high,
                "gain": macro_f1 - single,
                "gain_low": gain_low,
                "gain_high": gain_high,
            }
            numbers = {metric: rounded(value) for metric, value in row.items()}
            scores.append({"ensemble": name, "vote": vote, "students": len(stack)} | numbers)
        names = {vote: np.array(classes, dtype=object)[winners] for vote, winners in ballots.items()}
        mean = list(mean_probabilities(stack).astype(np.float32))
        votes.append(pd.DataFrame({"id": test["id"], "ensemble": name, **names, "probabilities": mean}))

    table = pd.DataFrame(scores)
    write_parquet(pd.concat(votes, ignore_index=True), predictions)
    with written_aside(plots) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n")
    compact = ["accuracy", "macro_f1", "low", "high", "gain"]
    write_json(
        {name: of.set_index("vote")[compact].T.to_dict() for name, of in table.groupby("ensemble", sort=False)}, metrics
    )
