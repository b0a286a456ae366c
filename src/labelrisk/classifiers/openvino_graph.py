"""Students as one graph that OpenVINO computes on the CPU, in whole numbers of eight bits where that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from labelrisk.classifiers.calibration import digest
from labelrisk.encoders.tokens import Tokens
from labelrisk.engines.machine import cores
from labelrisk.errors import LabelRiskError
from labelrisk.settings.section import Count, Section, read_typed
from labelrisk.students import minibatches

FILE, MODEL = "graph.json", "model.xml"
TOKENS = 1_024  # of a batch, padding included: what one layer writes is still in the cache for the next
PACKAGES = "'labelrisk[openvino]'"


class Agreement(Section):
    """Of some texts, which fitted nothing, how many had the classifier's label.

    same: from the graph, with what it is unsure of (reread) from the students; alone: from the graph alone; farthest:
    by which a probability differed, of those that were not read again.
    """

    texts: Count
    same: int
    alone: int
    reread: int
    farthest: float

    @property
    def share(self) -> float:
        """Of the texts, from 0 to 1."""
        return self.same / self.texts


class GraphForm(Section):
    """What FILE says.

    classifier: the digest of its folder; padding: the id that pads; temperature: of the stage calibrate, which is
    not in the graph; margin: texts whose two likeliest classes are closer are read again by the students.
    """

    classifier: str
    classes: tuple[str, ...]
    max_tokens: Count
    padding: int
    precision: Literal["fp32", "int8"]
    temperature: Annotated[float, Field(gt=0)]
    margin: Annotated[float, Field(ge=0, le=1)]
    agreement: Agreement

    @property
    def told(self) -> str:
        """One sentence: in what it computes, and how often its labels are those of the classifier."""
        of = self.agreement
        again = f"; {100 * of.reread / of.texts:.1f} % were read again by the students" if self.margin else ""
        return (
            f"The graph computes in {self.precision}: of {of.texts:,} other texts {of.same:,} "
            f"({100 * of.share:.2f} %) had the classifier's label{again}."
        )


def read_graph_form(folder: Path) -> GraphForm:
    """Raises LabelRiskError for a folder that holds no graph."""
    return read_typed(folder / FILE, GraphForm, "name a folder that `labelrisk export --format openvino` wrote")


def imported(package: str) -> Any:
    """An optional package, which tells its makers nothing.  Raises LabelRiskError where it is not installed."""
    import importlib
    import sys

    # What OpenVINO and NNCF send their use with, unasked; both do without where it can't be imported.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise LabelRiskError(
            f"OpenVINO needs the package {error.name}, which is not installed; run pip install {PACKAGES}"
        ) from None


class GraphReader:
    """A graph that is ready to read: it gives the mean probabilities of its students, as they say them."""

    def __init__(self, folder: Path, batch: int | None = None) -> None:
        """batch: tokens of a batch with their padding.  Raises LabelRiskError where the graph can't be loaded."""
        self.form = read_graph_form(folder)
        openvino = imported("openvino")
        try:
            self._requests = compiled(openvino, openvino.Core().read_model(folder / MODEL))
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise LabelRiskError(f"{folder / MODEL} can't be loaded ({reason}); export it again") from None
        self._version, self._batch = openvino.__version__, batch or TOKENS

    @property
    def computes(self) -> str:
        """On what, and in which types."""
        return f"cpu {self.form.precision} OpenVINO {self._version}"

    def check(self, folder: Path, classifier: Path) -> None:
        """Raise LabelRiskError where the graph is not that of a classifier, bit by bit."""
        if self.form.classifier != digest(classifier):
            raise LabelRiskError(f"{folder} is the graph of another classifier than {classifier}; export it again")

    def probabilities(self, tokens: Tokens, done: Callable[[int], object] = lambda rows: None) -> NDArray[np.float32]:
        """Class probabilities (N, K) of texts; done: called with how many more are finished."""
        return said_by(self._requests, tokens, self.form, self._batch, done)


def compiled(openvino: Any, graph: Any) -> Any:
    """A queue of requests to the graph: each batch by one thread, as many at once as there are cores."""
    options = {
        "PERFORMANCE_HINT": "THROUGHPUT",
        "NUM_STREAMS": cores(),
        "INFERENCE_NUM_THREADS": cores(),
        "INFERENCE_PRECISION_HINT": "f32",  # of what is not int8
        "ENABLE_CPU_PINNING": False,  # others use the machine, too
    }
    return openvino.AsyncInferQueue(openvino.Core().compile_model(graph, "CPU", options), cores())


def said_by(
    requests: Any,
    tokens: Tokens,
    form: GraphForm,
    batch: int = TOKENS,
    done: Callable[[int], object] = lambda rows: None,
) -> NDArray[np.float32]:
    """What a graph says of texts: (N, K)."""
    found = np.empty((len(tokens), len(form.classes)), dtype=np.float32)
    counting = Lock()

    def take(request: Any, rows: NDArray[np.int64]) -> None:  # called by OpenVINO's threads, several at once
        found[rows] = request.get_output_tensor(0).data
        with counting:
            done(len(rows))

    requests.set_callback(take)
    for rows in minibatches.by_tokens(tokens.lengths, batch, multiple=1):
        ids, present = tokens.padded(rows, form.padding)
        requests.start_async({0: ids, 1: present.astype(np.int64)}, rows)
    requests.wait_all()
    return found
