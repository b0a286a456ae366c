"""Titles of the parts of the page, and how to read each."""

from __future__ import annotations

# by analysis: title, how to read it; in the order of the page
ANALYSED = {
    "sources": (
        "The label sources",
        "Differences are in points against the reference: an interval that lies below minus the margin is a sure loss. "
        "The spread over seeds says how much of a score is luck.",
    ),
    "stability": (
        "How much is luck",
        "Students of one source differ by their seed alone: what they disagree on is luck. Compare at one number of "
        "seeds.",
    ),
    "frontier": (
        "What a point of macro-F1 costs",
        "A source may be worth its gold where it lies above the line of those that spend gold at random; whether it "
        "surely is, its contrast with its random twin tells.",
    ),
    "annotators": (
        "The annotators used directly",
        "If an annotator beats every student, you may not need one; whether it surely does, the contrasts tell. A "
        "label that is missing counts as wrong.",
    ),
    "baselines": (
        "Cheap classifiers on gold",
        "Logistic regression on gold labels, trained in seconds: a student that does not beat it is not worth its "
        "training. Whether one surely does, the contrasts tell.",
    ),
    "contrasts": (
        "Each source against its controls",
        "A source that buys gold must beat the twin that spends it at random. Decisions allow for all comparisons of "
        "the study (Holm).",
    ),
    "findings": (
        "The papers' claims on this study",
        "Each claim was made about other corpora and models; here it holds, does not hold, or is not decided.",
    ),
    "classes": (
        "Class by class",
        "A mean over classes can hide one that is lost: look for classes whose F1 lies far below the reference's.",
    ),
    "confusions": (
        "Which classes are taken for which",
        "Rows are gold classes, columns what was said: what lies off the diagonal are errors.",
    ),
    "slices": (
        "By slice",
        "A source may be safe on the whole and not in a part. With many slices the worst one looks bad by chance: "
        "decisions allow for that.",
    ),
    "training": (
        "Have the students trained enough?",
        "A curve that still rises at its end may hide a gap of training behind a gap of labels.",
    ),
    "ensembles": (
        "Votes of students",
        "The students of all seeds vote; the gain is against their mean student.",
    ),
}
# the same by explanation; one that is new has its name and a sentence that fits all
EXPLAINED = {
    "propagation": (
        "Do students repeat the annotator's errors?",
        "What counts is how much more often than students of gold, which never saw the annotator's labels: some errors "
        "are made by everybody, because the text is hard.",
    ),
    "prediction_bias": (
        "Which classes are said too often?",
        "The share of rows that a class is said of, minus its share in gold: a bias of this kind goes straight into "
        "every count that you make of the labels.",
    ),
    "flips": (
        "Which rows change with the seed?",
        "A label that another seed would have given otherwise is luck. Look at whether such rows are those on which "
        "the annotator is wrong or unsure.",
    ),
    "calibration": (
        "Is a confidence of 90 % right in 90 % of the cases?",
        "Confidence minus accuracy: above 0 the system is surer than it is right. Compare it before and after the "
        "temperature, which is fitted on validation rows.",
    ),
    "certificates": (
        "How many answers may be wrong?",
        "Upper bounds on errors on new rows like the test rows, and the share of rows that a vote may answer so that "
        "the risk stays below what params.yaml allows.",
    ),
    "robustness": (
        "Do harmless edits flip labels?",
        "The share of labels that change when capitals, typos or punctuation change: a reader would not have changed "
        "any of them.",
    ),
    "downstream": (
        "What does it do to your estimate?",
        "Class shares and regressions from labels as they are and corrected with some gold rows: look at whether the "
        "intervals hold the truth.",
    ),
    "ensembles": (
        "What does a vote of students gain?",
        "Macro-F1 of votes against their mean student, and what each further student brings. A vote costs as many "
        "students as it has.",
    ),
    "annotators": (
        "How do the annotators differ?",
        "Agreement and shared errors of annotators: a panel helps only where its members err on different rows.",
    ),
    "curves": (
        "What would more labels buy?",
        "Macro-F1 by the number of training rows: look at where a source flattens, and where gold overtakes it.",
    ),
}
GENERIC = "Sentences first; the numbers behind them stand in the tables."
