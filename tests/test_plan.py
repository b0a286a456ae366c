"""labelrisk plan and probe: what is printed before anything is paid, and what an endpoint is found to serve."""

import json

import pandas as pd
import pytest
from loopback import completion, served
from study_files import params, texts, write_study

from labelrisk.cli import main
from labelrisk.params import load
from labelrisk.stages import annotate, prepare

PRICE = {"input": 2.0, "output": 8.0}  # per million tokens


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A prepared study of 80 texts in the working folder; yields a function that declares the annotator `model`."""
    monkeypatch.chdir(tmp_path)

    def declare(rows=None, **changes):
        content = params()
        asked = {"kind": "chat", "reads": "codebook.yaml", "model": "m", "base_url": "http://127.0.0.1:9/v1"}
        content["annotators"]["model"] = asked | {"shots": 0} | changes
        write_study(tmp_path, content, rows)
        prepare.run(load(tmp_path / "params.yaml"), tmp_path / "data" / "prepared", tmp_path / "counts.json")

    declare()
    return declare


def label(root):
    places = (
        root / "data" / "prepared",
        root / ".labelrisk" / "calls.sqlite",
        root / "data" / "labels" / "model.parquet",
    )
    annotate.run(load(root / "params.yaml"), "model", *places, root / "ballots.parquet", root / "metrics.json")


def planned(capsys, *arguments):
    assert main(["plan", *arguments]) == 0
    printed = capsys.readouterr().out
    assert all(len(line) <= 80 for line in printed.partition("One prompt")[0].splitlines())
    return printed


def value(printed, name):
    """The number that stands behind a name of the plan."""
    line = next(line for line in printed.splitlines() if line.strip().startswith(name))
    return line.strip().removeprefix(name).split()[0]


def test_nothing_is_sent_and_an_unknown_price_is_unknown(study, capsys):
    with served(lambda text, before: (200, completion("A"))) as ledger:
        study(base_url=ledger.url)
        printed = planned(capsys)
    assert not ledger.bodies
    assert (value(printed, "rows"), value(printed, "known already"), value(printed, "requests to send")) == (
        "80",
        "0",
        "80",
    )
    assert (value(printed, "input tokens"), value(printed, "cost")) == ("unknown", "unknown")
    assert "and at most 80 more" in printed
    assert "annotators.model.price is not set" in printed
    assert "none (see max_cost, max_requests)" in printed
    assert "Say what the sentence is about." in printed.partition("One prompt")[2]


def test_the_upper_bound_is_above_what_is_paid_and_the_estimate_is_measured(study, capsys, tmp_path):
    """Each answer of the server is 10 tokens in and 1 out: 80 rows cost 80 x (10 x 2 + 8) / 1e6 = .00224."""
    top = {"A": 0.7, "B": 0.2}
    with served(lambda text, before: (200, completion("A", top))) as ledger:
        study(base_url=ledger.url, price=PRICE, reasks=0)
        before = planned(capsys, "--no-prompt")
        assert "not measured yet" in before
        assert float(value(before, "cost at most")) > 0.00224
        label(tmp_path)
        assert json.loads((tmp_path / "metrics.json").read_text())["cost"] == pytest.approx(0.00224)
        asked = len(ledger.bodies)
        more = pd.concat([texts(), pd.DataFrame({"text": ["It rains here.", "Bread is good."], "gold": None})])
        study(more, base_url=ledger.url, price=PRICE, reasks=0)
        after = planned(capsys, "--no-prompt")
        assert len(ledger.bodies) == asked
    assert (value(after, "known already"), value(after, "requests to send")) == ("80", "2")
    assert "measured on 80 answers of this model" in after
    assert value(after, "input tokens") in ("19", "20")  # the new texts are a little shorter
    assert value(after, "output tokens") == "2"
    assert value(after, "cost") == "0.0001"  # 2 x 28 / 1e6
    assert "80 requests, 0.0022 at most" in after


def test_a_batch_is_planned_at_its_share_of_the_price(study, capsys):
    study(price=PRICE)
    whole = float(value(planned(capsys), "cost at most"))
    study(price=PRICE, mode="batch")
    printed = planned(capsys)
    assert "batch: 0.5 of the price" in printed
    assert float(value(printed, "cost at most")) == pytest.approx(whole / 2, abs=1e-4)


def test_probe_finds_what_is_served_and_writes_it_down(study, tmp_path, capsys):
    """This server gives log-probabilities, keeps to a JSON schema, and has never heard of guided choice."""

    def reply(text, before):
        request = ledger.bodies[-1]
        if "structured_outputs" in request:
            return 400, {"error": {"message": "unknown field structured_outputs"}}
        if "response_format" in request:
            return 200, completion('{"label": "B"}')
        return 200, completion("A", {"A": 0.6, "B": 0.3} if request.get("logprobs") else None)

    with served(reply) as ledger:
        study(base_url=ledger.url)
        path = tmp_path / "params.yaml"
        path.write_text("# a comment that stays\n" + path.read_text())
        assert main(["probe", "--annotator", "model"]) == 0
        assert main(["probe", "--annotator", "model"]) == 0
    assert len(ledger.bodies) == 4  # the second time only what was refused, and so not stored
    assert "annotators.model.serves: [logprobs, json_schema]" in capsys.readouterr().out
    assert load(path).annotators["model"].serves == ("logprobs", "json_schema")
    assert path.read_text().startswith("# a comment that stays")


def test_probe_of_an_endpoint_that_is_not_there_writes_nothing(study, tmp_path, capsys):
    content = (tmp_path / "params.yaml").read_text()
    settings = content.replace("retries: 2", "retries: 0")
    (tmp_path / "params.yaml").write_text(settings)
    assert main(["probe", "--annotator", "model"]) == 1
    assert "annotators.model gives no answers (can't be reached" in capsys.readouterr().err
    assert (tmp_path / "params.yaml").read_text() == settings


def test_an_unknown_annotator_is_named(study, capsys):
    assert main(["plan", "--annotator", "modell"]) == 1
    assert "did you mean 'model'?" in capsys.readouterr().err
