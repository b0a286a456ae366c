"""Controls: which source is another's twin, and what a declared twin is when it is written out."""

from __future__ import annotations

from collections.abc import Mapping

from labelrisk.sources.source import Source


def resolved(sources: Mapping[str, Source], name: str) -> Source:
    """The source's declaration; that of a control is written out as labels, select and action.

    All names must be declared and fit together, which `labelrisk.params.load` checks.
    """
    source = sources[name]
    return source if source.of is None else _at_random(sources[source.of])


def random_twin(sources: Mapping[str, Source], name: str) -> str | None:
    """The first source that does the same to as many rows at random; None without one, or for one without choice.

    A declared control comes before a source that says the same by `select: {by: random}`.
    """
    source = sources[name]
    if not is_chosen(source):
        return None
    declared = (other for other, twin in sources.items() if twin.control == "random" and twin.of == name)
    written_out = (other for other, twin in sources.items() if twin == _at_random(source))
    return next(declared, None) or next(written_out, None)


def noise_twin(sources: Mapping[str, Source], name: str) -> str | None:
    """For an annotator's labels as they are: gold with that annotator's errors, by confusion rather than uniform."""
    source = sources[name]
    if not _is_plain(source) or source.labels != "annotator":
        return None
    twins = [other for other, twin in sources.items() if twin.noise and twin.annotator == source.annotator]
    return min(twins, key=lambda twin: sources[twin].noise != "confusion", default=None)  # of equals the first


def plain(sources: Mapping[str, Source], name: str) -> str | None:
    """For a source with a selection, or its control: the source with the same labels as they are; None without one."""
    treated = resolved(sources, name)
    if treated.select is None:
        return None
    same = (
        other
        for other, source in sources.items()
        if _is_plain(source) and (source.annotator, source.labels) == (treated.annotator, treated.labels)
    )
    return next(same, None)


def is_chosen(source: Source) -> bool:
    """Whether the source selects rows by something about them, which random rows can be held against."""
    return source.select is not None and source.select.by != "random"


def _at_random(source: Source) -> Source:
    """The same source with as many rows selected at random."""
    assert source.select is not None
    return source.model_copy(update={"select": source.select.model_copy(update={"by": "random"})})


def _is_plain(source: Source) -> bool:
    return source.select is None and source.noise is None and source.control is None
