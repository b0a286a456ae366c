"""`labelrisk probe`: what an annotator's endpoint serves, written into params.yaml."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from labelrisk.commands._options import add_cache

HELP = "what an endpoint serves, one short request each; into params.yaml"
EXAMPLE = "labelrisk probe --annotator gpt"


def arguments(parser: ArgumentParser) -> None:
    """Whose endpoint, and where its answers are stored."""
    parser.add_argument("--annotator", required=True)
    add_cache(parser)


def run(params: Path, annotator: str, cache: Path) -> None:
    """Find out what an annotator's endpoint serves, with one request each, and write it into params.yaml."""
    from labelrisk.annotators.chat.capabilities import served_capabilities
    from labelrisk.commands._chat_annotators import chat_annotators
    from labelrisk.params import load

    settings = load(params)
    declared = chat_annotators(settings.annotators, params, annotator)[annotator]
    served = served_capabilities(annotator, declared, settings.annotate, cache)
    _write_serves(params, annotator, served)
    print(f"annotators.{annotator}.serves: [{', '.join(served)}] is written to {params}")


def _write_serves(params: Path, annotator: str, served: Sequence[str]) -> None:
    """Set annotators.<annotator>.serves and keep comments, quotes and the order of keys."""
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedSeq

    from labelrisk.files import written_aside

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
    flow = CommentedSeq(served)
    flow.fa.set_flow_style()
    declared.insert(place, "serves", flow)
    with written_aside(params) as temporary:
        yaml.dump(content, temporary)
