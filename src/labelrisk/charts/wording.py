"""Names and numbers of charts in words: names that show and tell each other apart, points with their interval."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from labelrisk.printing import printable

LONGEST = 80  # characters of a name in the data of a chart
MOST = 40  # rows of one chart
MINUS = "\u2212"


def shown_names(names: Iterable[str]) -> dict[str, str]:
    """Each name as a chart writes it: printable, cut in the middle, and no two alike."""
    shown: dict[str, str] = {}
    taken: set[str] = set()
    for name in dict.fromkeys(names):
        text = printable(name, kept="")
        text = text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}\u2026{text[-LONGEST // 2 + 1 :]}"
        text, number = text or "(empty)", 2
        while (candidate := text if number == 2 else f"{text} ({number - 1})") in taken:
            number += 1
        shown[name] = candidate
        taken.add(candidate)
    return shown


def extremes(values: Mapping[str, float], most: int, kept: Collection[str] = ()) -> list[str]:
    """Of many names the highest and the lowest by value, half each, and `kept`, in the order in which they came."""
    if len(values) <= most:
        return list(values)
    others = sorted((name for name in values if name not in kept), key=lambda name: -values[name])
    room = max(most - sum(name in values for name in kept), 2)
    chosen = {*kept, *others[: room - room // 2], *others[len(others) - room // 2 :]}
    return [name for name in values if name in chosen]


def cut_short(total: int, shown: int, what: str, by: str = "highest and lowest") -> str:
    """What a reading says where not all are drawn."""
    return f" Of {total:,} {what} the {shown} {by} are shown." if shown < total else ""


def points(value: float, sign: str = "") -> str:
    """A share as points of 100, rounded as in the tables."""
    return f"{100 * round(value, 4):{sign}z.1f}".replace("-", MINUS)


def with_bounds(estimate: float, low: float | None, high: float | None, sign: str = "") -> str:
    """A share with its interval, in points; alone where it has none."""
    if low is None or high is None:
        return points(estimate, sign)
    return f"{points(estimate, sign)} [{points(low, sign)}, {points(high, sign)}]"


def times_100(value: float | None) -> float | None:
    """A share as the number that is drawn; None stays."""
    return None if value is None else round(100 * value, 2)


def listed(parts: Sequence[str], most: int = 12) -> str:
    """Parts in a row, as an alternative text has them; of many the first."""
    return "; ".join(parts[:most]) + (f"; and {len(parts) - most} more" if len(parts) > most else "") + "."
