"""What all tests share."""

import hashlib
import json
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

# examples of a property: few and the same in `make test`, many and new ones in `make fuzz`
settings.register_profile("few", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile("many", max_examples=10_000, deadline=None, print_blob=True)
settings.load_profile("few")

EXAMPLE = "ddc49c8e2348"  # of the built-in study: params.yaml and its codebook, without their comments
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return ROOT


@pytest.fixture(scope="session")
def example(project: Path) -> Path:
    """The folder of the project where its study is the built-in one, which the README and the committed run are about.

    What is checked against these is no business of who makes the project a study of their own.
    """
    read = [yaml.safe_load((project / name).read_text()) for name in ("params.yaml", "codebooks/apidocs.yaml")]
    if (found := hashlib.sha256(json.dumps(read).encode()).hexdigest()[:12]) != EXAMPLE:
        pytest.skip(
            f"params.yaml or its codebook is not the built-in study (EXAMPLE in tests/conftest.py is not {found})"
        )
    return project


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real texts with real LLM labels, which lie beside the project or not at all."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no ../shared/data beside the project")
    return folder


@pytest.fixture
def print_row(request):
    """Prints a row of the table of faults (see with pytest -rP): test, texts, paid, paid twice, lost, seconds."""
    started = time.monotonic()

    def write(ledger, texts, lost=0):
        name = request.node.name.removeprefix("test_")
        seconds = time.monotonic() - started
        print(f"| {name} | {texts} | {ledger.paid} | {ledger.paid_twice} | {lost} | {seconds:.1f} |")

    return write
