"""What must not matter to explanations: the order of test rows, and what classes, sources and annotators are called."""

import numpy as np
import pytest
from evidence_worlds import evidence_of

from labelrisk.explanations.kinds import EXPLANATIONS

ROWS, SEEDS, CLASSES = 240, 3, 3
# downstream draws rows by their place, certificates make parts of them so: other draws, other numbers
DRAWN = {"downstream", "certificates"}
CHECKED = sorted(set(EXPLANATIONS) - DRAWN)


def world(seed, order=None, codes=None, names=("gold", "llm", "fixed")):
    """Students of gold and of two sources of llm, which follows a rule of its own, with vectors that show it.

    order: of the test rows; codes: what each class is called as a number.
    """
    generator = np.random.default_rng(seed)
    order = np.arange(ROWS) if order is None else order
    codes = np.arange(CLASSES) if codes is None else codes
    gold = {split: generator.integers(0, CLASSES, rows) for split, rows in (("test", ROWS), ("train", 90), ("val", 60))}
    vectors = {split: generator.standard_normal((len(of), 8)) + 2 * np.eye(8)[of] for split, of in gold.items()}
    said = {split: np.where(vectors[split][:, 5] > 0.5, (of + 1) % CLASSES, of) for split, of in gold.items()}

    def sure(labels, noise):
        logits = 2.5 * np.eye(CLASSES)[labels] + noise * generator.standard_normal((*labels.shape, CLASSES))
        shares = np.exp(logits)
        shares /= shares.sum(axis=-1, keepdims=True)
        return np.take(shares, np.argsort(codes), axis=-1)  # class k is called codes[k]

    def students(labels, noise):
        return sure(np.stack([labels] * SEEDS), noise)

    test = {names[0]: students(gold["test"], 1.0), names[1]: students(said["test"], 1.2)}
    test |= {names[2]: students(np.where(generator.random(ROWS) < 0.5, gold["test"], said["test"]), 1.5)}
    validation = {name: students(gold["val"], 1.2) for name in names}
    sources = {name: {"annotator": "llm" if place else "gold"} for place, name in enumerate(names)}
    sources[names[2]] |= {"select": {"by": "entropy", "share": 0.5}, "action": "gold"}
    llm = {split: sure(of, 0.8) for split, of in said.items()}
    return evidence_of(
        codes[gold["test"]][order],
        {name: of[:, order] for name, of in test.items()},
        classes=CLASSES,
        annotators={"llm": llm["test"][order]},
        train_gold=codes[gold["train"]],
        train_annotators={"llm": llm["train"]},
        training={names[1]: codes[said["train"]]},
        validation_gold=codes[gold["val"]],
        validation=validation,
        vectors=vectors["test"][order],
        train_vectors=vectors["train"],
        words=(10 + np.arange(ROWS) % 7)[order],
        sources=sources,
    )


def numbers(found, path=""):
    """All numbers of metrics, by where they stand, without ids and whatever is told of single classes."""
    if isinstance(found, dict):
        return {place: one for key, value in found.items() for place, one in numbers(value, f"{path}/{key}").items()}
    if isinstance(found, list):
        return {place: one for key, value in enumerate(found) for place, one in numbers(value, f"{path}/{key}").items()}
    return {path: found} if isinstance(found, float) else {}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", CHECKED)
def test_the_order_of_test_rows_does_not_matter(name, seed):
    order = np.random.default_rng(seed).permutation(ROWS)
    before = numbers(EXPLANATIONS[name](world(seed)).metrics)
    after = numbers(EXPLANATIONS[name](world(seed, order)).metrics)
    assert before.keys() == after.keys()
    assert before or name in ("curves", "robustness")
    for place, value in before.items():
        assert after[place] == pytest.approx(value, abs=2e-4), place  # rounded to four decimals


@pytest.mark.parametrize("name", [name for name in CHECKED if name not in ("ensembles", "prediction_bias")])
def test_the_numbers_of_classes_do_not_matter(name):
    """But for the folds of predictability, which are drawn class by class in their order."""
    codes = np.array([2, 0, 1])
    before = numbers(EXPLANATIONS[name](world(3)).metrics)
    after = numbers(EXPLANATIONS[name](world(3, codes=codes)).metrics)
    assert before.keys() == after.keys()
    for place, value in before.items():
        if "class" not in place.rpartition("/")[0].replace("auc_within_classes", "") and "predictability" not in place:
            assert after[place] == pytest.approx(value, abs=2e-3), place  # heads are fitted


@pytest.mark.parametrize("name", CHECKED)
def test_what_sources_are_called_does_not_matter(name):
    names = ("gold", "zebra", "ant")
    before = numbers(EXPLANATIONS[name](world(4)).metrics)
    after = numbers(EXPLANATIONS[name](world(4, names=names)).metrics)
    assert [value for _, value in sorted(before.items())] or name in ("curves", "robustness")
    assert sorted(before.values()) == pytest.approx(sorted(after.values()), abs=2e-4)
