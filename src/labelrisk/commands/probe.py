"""`labelrisk probe`: what an annotator's endpoint serves, written into params.yaml."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from labelrisk.commands._options import add_cache
from labelrisk.errors import LabelRiskError

if TYPE_CHECKING:
    from labelrisk.annotators.chat.annotator import ChatAnnotator
    from labelrisk.settings.annotate import AnnotateSettings

HELP = "what endpoints serve, one short request each; into params.yaml"
EXAMPLE = "labelrisk probe\nlabelrisk probe --annotator gpt"


def arguments(parser: ArgumentParser) -> None:
    """Whose endpoints, and where their answers are stored."""
    parser.add_argument("--annotator", help="only this one")
    add_cache(parser)


def run(params: Path, annotator: str | None, cache: Path) -> None:
    """Find out what the endpoint of each chat annotator and second opinion serves, and write it into params.yaml.

    Raises LabelRiskError after the last one where an endpoint can't be used, or does not serve what is asked for.
    """
    from labelrisk.commands._cascade import asked_models
    from labelrisk.commands._chat_annotators import chat_annotators
    from labelrisk.params import load
    from labelrisk.second_opinions.sheets import worded

    settings = load(params)
    opinions = asked_models(settings)
    chats = chat_annotators({**settings.annotators, **opinions}, params, annotator)
    if not chats:
        print(f"{params} declares no annotator of kind chat: there is nothing to ask")
    wrong: dict[str, LabelRiskError] = {}
    for name, declared in chats.items():
        try:
            found = _found(params, name, declared, settings.annotate, cache)
            print(worded(name, found) if name in opinions else found)
        except LabelRiskError as error:
            wrong[name] = LabelRiskError(worded(name, str(error))) if name in opinions else error
    if wrong and len(chats) == 1:
        raise next(iter(wrong.values()))
    for sentence in wrong.values():
        print(sentence, file=sys.stderr)
    if wrong:
        raise LabelRiskError(
            f"{len(wrong)} of {len(chats)} annotators can't be used as declared: {', '.join(wrong)}; see above"
        )


def _found(params: Path, name: str, declared: ChatAnnotator, settings: AnnotateSettings, cache: Path) -> str:
    """The line about one annotator.

    What contradicts its other keys is not written: params.yaml could not be read with it, for no annotator.
    """
    from labelrisk.annotators.chat.capabilities import lacking_capabilities, served_capabilities

    served = served_capabilities(name, declared, settings, cache)
    says = f"serves [{', '.join(served)}]"
    if lacking := lacking_capabilities(declared, served):
        raise LabelRiskError(
            f"annotators.{name} {says}, but asks for {' and '.join(lacking)}; change that in {params}, which is left "
            "as it was, then probe again"
        )
    _write_serves(params, name, served)
    return f"annotators.{name}.serves: [{', '.join(served)}] is written to {params}"


def _write_serves(params: Path, annotator: str, served: Sequence[str]) -> None:
    """Set the key `serves` of the annotator, or of that second opinion; keep comments, quotes and the order."""
    from ruamel.yaml.comments import CommentedSeq

    from labelrisk.commands._params_file import changed_params

    flow = CommentedSeq(served)
    flow.fa.set_flow_style()
    with changed_params(params) as content:
        annotators = content["annotators"]
        declared = annotators[annotator] if annotator in annotators else content["second_opinions"][annotator]["ask"]
        place = list(declared).index("base_url") + 1  # at the end it would land behind comments that follow
        declared.pop("serves", None)
        declared.insert(place, "serves", flow)
