"""The pictures of the report: lines in a square, as SVG that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np

from eval import metrics
from eval.report.text import Outcome, claims
from eval.run import Row

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 360, 270, 46, 40, 24, 14  # pixels
CUTS = (1, 2, 3, 5, 10, 15, 20)  # of the recall curve
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Picture:
    """A line through *points*, (x, y), in a frame from 0 (of y) to *top*."""

    title: str
    says: str  # what it shows, in a sentence
    across: str  # label of the x axis
    up: str  # label of the y axis
    points: tuple[tuple[float, float], ...]
    top: float = 1.0
    diagonal: bool = False  # where a perfect one would lie
    dots: bool = True


def pictures(run: Outcome) -> tuple[Picture, ...]:
    """Those pictures that the cases of *run* say something for."""
    made = (recall_curve(run.rows), trade_off(run.rows), calibration(run.rows), latency(run.rows))
    return tuple(one for one in made if len(one.points) > 1)


def recall_curve(rows: Sequence[Row]) -> Picture:
    """How much of the gold is among the first k retrieved."""
    seen = [r.reading for r in rows if r.reading and r.reading.gold and not r.case.is_statement]
    points = [
        (float(k), float(np.mean([metrics.recall_at(k, one.ranking, one.gold) for one in seen])))
        for k in CUTS
        if seen
    ]
    says = "Share of the right papers among the first k retrieved."
    return Picture("Recall", says, "k", "recall@k", tuple(points))


def answer_chance(row: Row) -> float | None:
    """How likely the product held an answer to be, 0 to 1; None if its trace does not say."""
    outcomes = row.answer.trace.get("outcomes", "") if row.answer else ""
    return float(outcomes.split()[0]) if outcomes else None


def trade_off(rows: Sequence[Row]) -> Picture:
    """What would be refused rightly and wrongly at every threshold of the chance of an answer."""
    known = [(chance, r.case.answerable) for r in rows if (chance := answer_chance(r)) is not None]
    right = [chance for chance, answerable in known if answerable]
    wrong = [chance for chance, answerable in known if not answerable]
    if not right or not wrong:
        return Picture("Abstention", "", "", "", ())
    points = [
        (float(np.mean([c < cut for c in right])), float(np.mean([c < cut for c in wrong])))
        for cut in np.linspace(0, 1.001, 60)
    ]
    says = "Silence where nothing answers, against silence where something does, at each threshold."
    return Picture(
        "Abstention",
        says,
        "answerable refused",
        "unanswerable refused",
        tuple(sorted(set(points))),
        dots=False,
    )


def calibration(rows: Sequence[Row]) -> Picture:
    """How often statements of a score are true."""
    found = claims(rows)
    bins = metrics.reliability([c.score for c in found], [c.label == "supported" for c in found])
    says = "Share of statements that are true, by the score the check gave; on the line is right."
    points = tuple((chance, true) for chance, true, _ in bins)
    return Picture("Calibration", says, "score", "share true", points, diagonal=True)


def latency(rows: Sequence[Row]) -> Picture:
    """The time below which a share of the questions was answered."""
    times = [row.elapsed_ms for row in rows if row.elapsed_ms is not None]
    shares = np.linspace(0, 1, 21)
    points = tuple((float(s), float(np.quantile(times, s))) for s in shares if times)
    top = max((ms for _, ms in points), default=1.0)
    says = "Milliseconds within which a share of the questions was answered, one at a time."
    return Picture("Latency", says, "share of questions", "ms", points, top=top * 1.05, dots=False)


def svg(picture: Picture) -> str:
    """The picture as one SVG element."""
    across = max([1.0, *(x for x, _ in picture.points)])
    root = ElementTree.Element(
        "svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", width=str(WIDTH), height=str(HEIGHT)
    )
    ElementTree.SubElement(root, "title").text = f"{picture.title}: {picture.says}"

    def place(x: float, y: float) -> tuple[str, str]:
        inner, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return f"{LEFT + inner * x / across:.1f}", f"{TOP + tall * (1 - y / picture.top):.1f}"

    for step in range(_TICKS + 1):
        share = step / _TICKS
        _grid(root, place(0, share * picture.top), place(across, share * picture.top))
        _label(root, place(0, share * picture.top), _said(share * picture.top), "end", -6, 4)
        _label(root, place(share * across, 0), _said(share * across), "middle", 0, 16)
    _label(root, place(across / 2, 0), picture.across, "middle", 0, 33)
    _label(root, place(0, picture.top), picture.up, "start", 0, -9)  # no curve comes there
    if picture.diagonal:
        _line(root, [place(0, 0), place(across, across)], "ideal")
    spots = [place(x, y) for x, y in picture.points]
    _line(root, spots, "curve")
    for x, y in spots if picture.dots else ():
        ElementTree.SubElement(root, "circle", cx=x, cy=y, r="3")
    return ElementTree.tostring(root, encoding="unicode")


def _said(value: float) -> str:
    """*value* beside an axis: three digits, and never a power of ten."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _grid(root: ElementTree.Element, one: tuple[str, str], other: tuple[str, str]) -> None:
    line = {"x1": one[0], "y1": one[1], "x2": other[0], "y2": other[1], "class": "grid"}
    ElementTree.SubElement(root, "line", line)


def _line(root: ElementTree.Element, spots: Sequence[tuple[str, str]], kind: str) -> None:
    points = " ".join(",".join(spot) for spot in spots)
    ElementTree.SubElement(root, "polyline", {"points": points, "class": kind})


def _label(
    root: ElementTree.Element, at: tuple[str, str], text: str, anchor: str, right: int, down: int
) -> None:
    x, y = float(at[0]) + right, float(at[1]) + down
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "text-anchor": anchor}
    ElementTree.SubElement(root, "text", place).text = text
