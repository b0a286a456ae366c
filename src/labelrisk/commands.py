"""What a person asks for besides the stages."""

from __future__ import annotations

import sys
from pathlib import Path

from labelrisk.annotators.chat.annotator import ChatAnnotator
from labelrisk.codebook import read_codebook
from labelrisk.errors import LabelRiskError, nearest
from labelrisk.files import read_json, written_aside
from labelrisk.params import Settings, load


def check(params: Path) -> None:
    """Check params.yaml, the codebook, and the files that annotators read; run nothing."""
    settings = load(params)
    read_codebook(Path(settings.codebook))
    named = {"corpus.path": settings.corpus.path}
    named |= {f"annotators.{name}.reads": annotator.reads for name, annotator in settings.annotators.items()}
    for key, path in named.items():
        if Path(path).parts[:1] in (("data",), ("models",)):
            raise LabelRiskError(
                f"{params}: {key} names {path}, but {path.split('/')[0]}/ holds outputs; move the file"
            )
    if not Path(settings.corpus.path).exists():
        raise LabelRiskError(f"{params}: corpus.path names {settings.corpus.path}, which is not there; correct it")
    for name, annotator in settings.annotators.items():
        if not Path(annotator.reads).is_file():
            raise LabelRiskError(
                f"{params}: annotators.{name}.reads names {annotator.reads}, which is not there; correct it"
            )


def plan(params: Path, annotator: str | None, prepared: Path, cache: Path, labels: Path, prompt: bool) -> None:
    """Print what each chat annotator would send and cost, and one rendered prompt; send nothing."""
    from labelrisk.annotators.chat.labeller import ChatLabeller
    from labelrisk.annotators.chat.plan import plan_of, plan_text, prompt_text
    from labelrisk.corpora.prepared import Prepared

    settings = load(params)
    chats = _chat_annotators(settings, params, annotator)
    if not chats:
        print(f"{params} declares no annotator of kind chat: nothing is sent or paid")
    shown = None
    for name, declared in chats.items():
        codebook = declared.codebook(name, Path(settings.codebook))
        chat = ChatLabeller(name, declared, codebook, Prepared(prepared))
        found = plan_of(chat, Prepared(prepared), cache, labels / f"{name}.parquet")
        print(plan_text(chat, found, _validation(name, chat.version)), end="\n\n")
        if shown is None or (shown.prompt is None and found.prompt is not None):
            shown = found
    if prompt and shown is not None:
        text = prompt_text(shown) or "(all rows are known, so none is rendered)"
        print(f"One prompt, as it is sent:\n{text}")


def _chat_annotators(settings: Settings, params: Path, name: str | None) -> dict[str, ChatAnnotator]:
    chats = {key: one for key, one in settings.annotators.items() if isinstance(one, ChatAnnotator)}
    if name is not None and name not in chats:
        raise LabelRiskError(f"{params}: there is no chat annotator '{name}'; {nearest(name, chats)}")
    return {name: chats[name]} if name is not None else chats


def _validation(name: str, version: str) -> str:
    """Whether people have tested this codebook on rows that its edits had not seen."""
    path = Path("validation") / f"{name}.json"
    if not path.is_file():
        return "no validation by people: see `labelrisk sample` and `labelrisk agreement`"
    found = read_json(path)
    if found.get("codebook_hash") != version:
        return f"{path} is about another codebook: validate this one"
    if not found.get("held_out"):
        return f"{path} has no held-out part: the edits have seen its rows"
    scores = found["parts"]["held_out"]["against_majority"]
    accuracy = scores["accuracy"]
    told = "no row has a majority" if accuracy is None else f"accuracy {100 * accuracy:.1f} on {scores['rows']}"
    return f"validated on held-out rows: {told} ({path})"


def probe(params: Path, annotator: str, cache: Path) -> None:
    """Find out what an annotator's endpoint serves, with one request each, and write it into params.yaml."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedSeq

    from labelrisk.endpoints.probing import served

    settings = load(params)
    found = served(annotator, _chat_annotators(settings, params, annotator)[annotator], settings.annotate, cache)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.representer.add_representer(
        type(None), lambda writer, value: writer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    content = yaml.load(params)
    declared = content["annotators"][annotator]
    place = list(declared).index("base_url") + 1  # at the end it would land behind comments that follow
    declared.pop("serves", None)
    flow = CommentedSeq(found)
    flow.fa.set_flow_style()
    declared.insert(place, "serves", flow)
    with written_aside(params) as temporary:
        yaml.dump(content, temporary)
    print(f"annotators.{annotator}.serves: [{', '.join(found)}] is written to {params}")


def table(params: Path, metrics: Path, markdown: bool) -> None:
    """Print the comparison of label sources from the metrics files."""
    from labelrisk.comparison.table import comparison_markdown, comparison_table

    try:
        found = [read_json(metrics / f"{name}.json") for name in ("sources", "annotators", "ensembles")]
    except FileNotFoundError as error:
        raise LabelRiskError(f"{error.filename} is not there; run `make repro` first") from None
    print(comparison_markdown(*found) if markdown else comparison_table(*found))
    if not markdown:
        pictures = sorted(str(path) for path in Path("plots").glob("*.png"))
        print(f"\nPictures: {' '.join(pictures)}\nMore: dvc plots show, dvc metrics show, make compare")


def compare(params: Path) -> None:
    """Turn the CSV of `dvc exp show` (standard input) on its side: a row per value, a column per experiment."""
    import pandas as pd

    shown = pd.read_csv(sys.stdin, dtype=str)
    names = shown["rev"]  # DVC leaves the column Experiment out while there is none
    if "Experiment" in shown:
        names = shown["Experiment"].fillna(names)
    values = shown.drop(columns=["Experiment", "rev", "typ", "Created", "parent"], errors="ignore")
    values.index = pd.Index(names, name=None)
    with pd.option_context("display.max_colwidth", 24):
        print(values.T.fillna("-").to_string())


def vega(params: Path, out: Path) -> None:
    """Write Vega-Embed from its package, so that the page of `dvc plots show` needs no network."""
    import vl_convert

    script = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    with written_aside(out) as temporary:
        temporary.write_text(f"(function () {{{script}}})();\n", encoding="utf-8")
