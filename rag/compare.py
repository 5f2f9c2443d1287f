"""Comparisons: the things compared, the axes, and a table in which every cell is a quotation.

Each side is resolved by itself, so that no side crowds another out, and each cell is decided by
itself: the sentence of *that* abstract which answers *that* axis, or "not stated in the abstract".
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from rag import sides
from rag.compose import Scored, is_stated, score_sentences
from rag.embed import CORES
from rag.expected import HARDLY, NUMBERS, PARTLY, expected, holds, own_words
from rag.facets import FACETS, facet_sentences, incomparable
from rag.names import key_of
from rag.prompts import render
from rag.question import focus, has_figure, missing_formal_words, wanted
from rag.retrieve import (
    Library,
    read,
    read_one,
    sentence_vectors,
    sentences_of,
)
from rag.subjects import Side, given, names_several, only_name, sides_of, within_one
from rag.text import fold
from rag.types import (
    Cell,
    Citation,
    Draft,
    Evidence,
    Hit,
    Sentence,
    Source,
    Statement,
    Subject,
    Table,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RETRIEVED = 20
FIGURE_AT_LEAST = 0.8  # probability of one sentence, with a figure where one is wanted: stated
NEAR_AT_LEAST = 0.3  # of an axis, where nothing at all is stated otherwise
SECOND_AT_LEAST = 0.1  # probability of a further sentence in a cell
MOST_IN_CELL = 3
SHARED_AT_LEAST = 0.5  # cosine of two sentences, one of each side, that say something in common


def compare(
    library: Library, question: str, subjects: Sequence[str] = (), axes: Sequence[str] = ()
) -> Draft | None:
    """Set the things that *question* compares side by side.

    *subjects* and *axes*, if given, are taken instead of those that *question* names. None where
    the question compares nothing after all: fewer than two subjects, or all of one paper.
    """
    asked = fold(question) if subjects else focus(question)
    hits = read(library.snapshot, library.embedder, asked, RETRIEVED).hits
    every = given(library, subjects) if subjects else sides_of(library, asked, hits)
    found, left_out = every[: sides.MOST_SIDES], every[sides.MOST_SIDES :]
    if len(found) < 2 or (not subjects and within_one(library, asked, found)):
        return None
    if all(side.place is None for side in found):
        return _nothing_here(library, found, hits)
    found_at = time.perf_counter()
    asked_for = tuple(axes) if subjects else _axes_of(asked, every)
    numbers = {place: n for n, place in enumerate(_places(found), 1)}
    table = _table(library, found, asked_for, numbers)
    silent = _is_silent(table)
    if silent and asked_for and sides.asks_generally(asked):
        table = _table(library, found, (), numbers)
        silent = _is_silent(table)
    if silent:  # nothing but "not stated" helps nobody: show what comes near, if anything does
        table = _table(library, found, asked_for, numbers, least=NEAR_AT_LEAST)
        silent = _is_silent(table)
    return Draft(
        "comparison",
        statements=()
        if silent
        else (*_closest(library, found, table, numbers), *_lines(library, found, numbers)),
        abstention="not_stated" if silent else None,
        sources=tuple(_source(library, place, n) for place, n in numbers.items()),
        message=_message(found, left_out, silent=silent),
        table=table,
        retrieved=_retrieved(library, found, hits),
        trace={
            "sides": "; ".join(f"{s.name} = {_title(library, s) or 'missing'}" for s in found),
            "axes": "; ".join(asked_for) or "none named: those both abstracts speak to",
        },
        found_at=found_at,
    )


def compare_named(library: Library, question: str) -> Draft | None:
    """Set side by side what a question names that has no word for it: "what did X do to Y".

    None unless it names two papers or more outright, by the names they own or by their titles.
    """
    asked = fold(focus(question))
    return compare(library, question) if names_several(library, asked) else None


def compare_each(library: Library, question: str) -> Draft | None:
    """Set side by side the papers that a question names before it asks the same of each.

    "Three papers evolve things: A, B and C. What is evolved in each?" lists nothing.
    """
    return compare_named(library, question) if sides.asks_of_each(focus(question)) else None


# --- Axes -----------------------------------------------------------------------------------------


def _axes_of(question: str, found: Sequence[Side]) -> tuple[str, ...]:
    spans = [(side.start, side.end) for side in found if side.end > side.start]
    return sides.axes_in(sides.marked(question, spans))


# --- The table ------------------------------------------------------------------------------------


def _places(found: Sequence[Side]) -> list[int]:
    return list(dict.fromkeys(side.place for side in found if side.place is not None))


def _is_silent(table: Table) -> bool:
    return not any(cell.stated for row in table.cells for cell in row)


def _table(
    library: Library,
    found: Sequence[Side],
    axes: Sequence[str],
    numbers: dict[int, int],
    least: float | None = None,
) -> Table:
    """The table; cells are stated from a probability of *least*, or else of the calibrated one."""
    subjects = tuple(_subject(library, side) for side in found)
    if not axes:
        return _by_facets(library, found, subjects, numbers)
    pairs = [(side, axis) for side in found for axis in axes]
    with ThreadPoolExecutor(CORES) as pool:  # a cell is mostly the models' time
        flat = list(pool.map(lambda at: _cell(library, at[0], at[1], numbers, least), pairs))
    cells = tuple(tuple(flat[i : i + len(axes)]) for i in range(0, len(flat), len(axes)))
    labels = tuple(sides.label_of(axis) for axis in axes)
    return Table(subjects, labels, cells, _cautions(cells, labels))


def _subject(library: Library, side: Side) -> Subject:
    if side.place is None:
        return Subject(side.name)
    paper = library.snapshot.papers[side.place]
    return Subject(side.name, paper.id, paper.title)


def _cell(
    library: Library, side: Side, axis: str, numbers: dict[int, int], least: float | None
) -> Cell:
    """What the paper of *side* says on *axis*: one or two of its sentences, or nothing."""
    if side.place is None:
        return Cell()
    # A description would only add words that the abstract need not have: the paper is known.
    name = side.name if only_name(side.name) else "it"
    reading = read_one(library, sides.asked_of(axis, name), side.place)
    scored = score_sentences(library.snapshot, reading, library.snapshot.papers[side.place])
    texts = [sentence.text for sentence in sentences_of(library.snapshot, side.place)]
    if missing_formal_words(reading.question, texts):  # authors, licence, …: no abstract tells
        return Cell()
    figure = wanted(reading.question).number
    scored = _of_the_kind(library, side.place, reading.question, scored, figure=figure)
    sure = figure and bool(scored) and scored[0].probability >= FIGURE_AT_LEAST
    if not scored or not (sure or is_stated(library.snapshot, reading, least)):
        return Cell()
    chosen = _worth_quoting(scored)
    return _quoting(library, side.place, chosen, numbers[side.place])


def _of_the_kind(
    library: Library, place: int, asked: str, scored: Sequence[Scored], *, figure: bool
) -> tuple[Scored, ...]:
    """What of *scored* may stand in a cell: where a number is wanted, sentences that give one.

    Nothing, if the whole abstract holds no thing of the kind that is *asked* for. On the cases this
    says "not stated" rightly of 0.63 instead of 0.50, and costs 0.01 of the evidence.
    """
    thing = expected(asked)
    own = own_words((library.snapshot.papers[place].title.partition(":")[0],))
    fits = [holds(one.sentence.text, thing, asked, own) for one in scored]
    if thing.form and max(fits, default=0.0) < PARTLY:
        return ()
    if thing.form in NUMBERS:
        least = PARTLY if thing.form == "size" else HARDLY
        return tuple(one for one, fit in zip(scored, fits, strict=True) if fit >= least)
    return tuple(one for one in scored if not figure or has_figure(one.sentence.text))


def _worth_quoting(scored: Sequence[Scored]) -> list[Sentence]:
    best = [scored[0].sentence]
    best += [s.sentence for s in scored[1:MOST_IN_CELL] if s.probability >= SECOND_AT_LEAST]
    return sorted(best, key=lambda sentence: sentence.start)


def _quoting(library: Library, place: int, chosen: Sequence[Sentence], n: int) -> Cell:
    text = " ".join(sentence.text for sentence in chosen)
    return Cell(text, (_citation(library, place, chosen, n),))


def _citation(library: Library, place: int, chosen: Sequence[Sentence], n: int) -> Citation:
    paper = library.snapshot.papers[place]
    spans = tuple(Evidence(paper.id, paper.title, s.start, s.end, s.text) for s in chosen)
    return Citation(n, paper.id, paper.title, spans)


def _by_facets(
    library: Library, found: Sequence[Side], subjects: tuple[Subject, ...], numbers: dict[int, int]
) -> Table:
    """The table of a question that names no axes: the facets that most abstracts speak to."""
    columns = []
    for side in found:
        if side.place is None:
            columns.append([Cell()] * len(FACETS))
            continue
        sentences = sentences_of(library.snapshot, side.place)
        chosen = facet_sentences([sentence.text for sentence in sentences])
        columns.append(
            [
                _quoting(library, side.place, [sentences[i] for i in places], numbers[side.place])
                if places
                else Cell()
                for places in chosen
            ]
        )
    present = sum(side.place is not None for side in found)
    spoken = [sum(cells[f].stated for cells in columns) for f in range(len(FACETS))]
    kept = [f for f in range(len(FACETS)) if spoken[f] >= max(1, min(2, present))]
    labels = tuple(FACETS[f].label for f in kept)
    cells = tuple(tuple(column[f] for f in kept) for column in columns)
    return Table(subjects, labels, cells, _cautions(cells, labels))


def _cautions(cells: Sequence[Sequence[Cell]], labels: Sequence[str]) -> tuple[str, ...]:
    """Per axis, why its figures do not stand side by side; empty where they do or are none."""
    return tuple(
        incomparable([row[i].text for row in cells if row[i].stated]) for i in range(len(labels))
    )


# --- Around the table -----------------------------------------------------------------------------


def _lines(
    library: Library, found: Sequence[Side], numbers: dict[int, int]
) -> tuple[Statement, ...]:
    """What two sides share, and where each stands alone, as quotations of both.

    Shared are the two sentences that are most alike, if they are alike enough; different those of
    what each proposes or finds that are least like anything the other one says.
    """
    places = _places(found)[:2]
    if len(places) < 2:
        return ()
    one, other = places
    likeness = sentence_vectors(library.snapshot, one) @ sentence_vectors(library.snapshot, other).T
    i, j = divmod(int(likeness.argmax()), likeness.shape[1])
    told = []
    if likeness[i, j] >= SHARED_AT_LEAST:
        told.append(_line(library, numbers, "Shared", {one: i, other: j}))
    apart = {
        one: _most_apart(library, one, likeness.max(axis=1)),
        other: _most_apart(library, other, likeness.max(axis=0)),
    }
    if None not in apart.values():
        different = {place: i for place, i in apart.items() if i is not None}
        told.append(_line(library, numbers, "Different", different))
    return tuple(told)


def _closest(
    library: Library, found: Sequence[Side], table: Table, numbers: dict[int, int]
) -> tuple[Statement, ...]:
    """For a side whose abstract is silent on every axis, the sentence that comes closest."""
    told = []
    for side, row in zip(found, table.cells, strict=True):
        if side.place is not None and not any(cell.stated for cell in row):
            paper = library.snapshot.papers[side.place]
            reading = read_one(library, "; ".join(table.axes), side.place)
            best = score_sentences(library.snapshot, reading, paper)[0].sentence
            told.append(_line(library, numbers, "Closest", {side.place: best.number}))
    return tuple(told)


def _most_apart(library: Library, place: int, nearest: NDArray[np.float32]) -> int | None:
    """Which sentence that tells what the paper brings is least like the other paper's."""
    sentences = [sentence.text for sentence in sentences_of(library.snapshot, place)]
    told = [i for name, chosen in zip(FACETS, facet_sentences(sentences), strict=True)
            if name.label in {"approach", "results"} for i in chosen]  # fmt: skip
    return min(told, key=lambda i: (float(nearest[i]), i), default=None)


def _line(
    library: Library, numbers: dict[int, int], label: str, chosen: Mapping[int, int]
) -> Statement:
    quoted = {place: sentences_of(library.snapshot, place)[i] for place, i in chosen.items()}
    cited = tuple(
        _citation(library, place, [sentence], numbers[place]) for place, sentence in quoted.items()
    )
    text = " ".join(sentence.text for sentence in quoted.values())
    return Statement(text, cited, "unverified", label=label)


def _source(library: Library, place: int, n: int) -> Source:
    paper = library.snapshot.papers[place]
    return Source(n, paper.id, paper.title)


def _title(library: Library, side: Side) -> str:
    return "" if side.place is None else library.snapshot.papers[side.place].title


def _nothing_here(library: Library, found: Sequence[Side], hits: Sequence[Hit]) -> Draft | None:
    """That no side is here; None where one abstract names them all, and so may answer."""
    texts = [key_of(f"{hit.paper.title} {hit.paper.abstract}") for hit in hits]
    if any(all(key_of(side.name) in text for side in found) for text in texts):
        return None
    return Draft(
        "comparison",
        abstention="no_paper",
        message=render("comparison_nothing", missing=_quoted_names(found)),
        retrieved=_retrieved(library, found, hits),
        trace={"sides": "; ".join(f"{side.name} = missing" for side in found)},
    )


def _message(found: Sequence[Side], left_out: Sequence[Side], *, silent: bool) -> str:
    missing = [side for side in found if side.place is None]
    said = []
    if silent:
        said.append(render("comparison_silent"))
    if missing and not silent:
        said.append(render("comparison_missing", missing=_quoted_names(missing)))
    elif missing:
        said.append(render("comparison_nothing", missing=_quoted_names(missing)))
    if left_out:
        most = str(sides.MOST_SIDES)
        said.append(render("comparison_most", most=most, left_out=_quoted_names(left_out)))
    return "\n".join(said)


def _quoted_names(found: Sequence[Side]) -> str:
    names = [f"“{side.name}”" for side in found]
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]


def _retrieved(library: Library, found: Sequence[Side], hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The sides' papers first, then what the question finds; each once."""
    known = {hit.paper.id: hit for hit in hits}
    own = [library.snapshot.papers[place] for place in _places(found)]
    first = [known.get(paper.id) or Hit(paper, 1, 0.0, named=True) for paper in own]
    rest = [hit for hit in hits if hit.paper.id not in {paper.id for paper in own}]
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate([*first, *rest], 1))
