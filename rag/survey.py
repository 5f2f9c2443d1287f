"""Lists and counts: criteria read from the question, decided for every paper."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.criteria import Criteria, Topic, Words, described, read_criteria
from rag.matches import Collected, Match, meeting
from rag.prompts import render
from rag.question import focus
from rag.retrieve import Library, Reading, read, sentence_vectors, sentences_of
from rag.types import Citation, Coverage, Draft, Evidence, Hit, Source, Statement

RETRIEVED = 20
MOST_NEAR = 10  # near misses offered, the nearest first


@dataclass(frozen=True, slots=True)
class Listed:
    """A paper of the list, or a near miss."""

    place: int
    strength: float
    sentences: Mapping[int, float]  # number to how well it shows that the paper qualifies


def survey(library: Library, question: str) -> Draft | None:
    """The papers that meet *question*'s criteria, each with the sentence that qualifies it.

    Every paper of the collection is decided on, and every one that qualifies is listed. None where
    the question asks for no papers in the plural after all.
    """
    asked = focus(question)
    criteria = read_criteria(asked)
    snapshot = library.snapshot
    if criteria is None or not snapshot.papers:
        return None
    reading = read(snapshot, library.embedder, asked, RETRIEVED)
    found_at = time.perf_counter()
    matched, near = decide(library, criteria)
    if len(matched) == 1 and _means_its_own(library, criteria, matched[0], reading):
        return None
    return _draft(library, criteria, matched, near, reading, found_at)


def decide(library: Library, criteria: Criteria) -> tuple[list[Listed], list[Listed]]:
    """The papers that meet every clause, best first, and those that nearly do; ties by paper id."""
    collected = Collected(library.snapshot, library.embedder)
    papers = library.snapshot.papers
    listed: dict[int, Listed] = {place: Listed(place, 0.0, {}) for place in collected.places()}
    near: set[int] = set()
    cost = {
        clause: sum(isinstance(one, Topic) for one in clause.any_of) for clause in criteria.clauses
    }
    for clause in sorted(criteria.clauses, key=lambda clause: (clause.negated, cost[clause])):
        among = sorted(listed)
        found = meeting(collected, clause, among)
        if clause.negated:
            listed = {p: one for p, one in listed.items() if p not in found or found[p].near}
            continue
        listed = {place: _joined(listed[place], match) for place, match in found.items()}
        near |= {place for place, match in found.items() if match.near}
    order = sorted(listed.values(), key=lambda one: (-one.strength, papers[one.place].id))
    return (
        [one for one in order if one.place not in near],
        [one for one in order if one.place in near][:MOST_NEAR],
    )


def _joined(listed: Listed, match: Match) -> Listed:
    sentences = dict(listed.sentences)
    for number, value in match.sentences.items():
        sentences[number] = sentences.get(number, 0.0) + value
    return Listed(listed.place, listed.strength + match.strength, sentences)


def _means_its_own(library: Library, criteria: Criteria, only: Listed, reading: Reading) -> bool:
    """Whether "who uses CodeCompose" found nothing but CodeCompose: a question about one paper."""
    used = [
        one
        for clause in criteria.clauses
        for one in clause.any_of
        if isinstance(one, Words) and one.used
    ]
    return bool(used) and library.snapshot.papers[only.place].id in reading.named.introduced


def _draft(
    library: Library,
    criteria: Criteria,
    matched: Sequence[Listed],
    near: Sequence[Listed],
    reading: Reading,
    found_at: float,
) -> Draft:
    papers = library.snapshot.papers
    statements = tuple(_statement(library, n, one, reading) for n, one in enumerate(matched, 1))
    sources = tuple(
        Source(n, papers[one.place].id, papers[one.place].title) for n, one in enumerate(matched, 1)
    )
    offered = tuple(
        Source(n, papers[one.place].id, papers[one.place].title)
        for n, one in enumerate(near, len(matched) + 1)
    )
    count = len(papers)
    return Draft(
        "list",
        statements=statements,
        sources=sources,
        abstention=None if matched else "no_paper",
        message=_message(criteria, len(matched), len(offered), count),
        coverage=Coverage(papers_in_corpus=count, papers_read=count, matched=len(matched)),
        near=offered,
        retrieved=_retrieved(library, matched, reading),
        trace={"focus": reading.question, "criteria": described(criteria)},
        found_at=found_at,
    )


def _message(criteria: Criteria, matched: int, near: int, count: int) -> str:
    name = "list" if matched else "list_empty"
    return (
        render(
            name,
            matched=f"{matched:,}",
            count=f"{count:,}",
            criteria=described(criteria),
        )
        if matched
        else render(name, count=f"{count:,}", criteria=described(criteria))
    )


def _statement(library: Library, n: int, one: Listed, reading: Reading) -> Statement:
    """The sentence that shows best why the paper is listed; if none does, the closest one."""
    snapshot = library.snapshot
    paper = snapshot.papers[one.place]
    sentences = sentences_of(snapshot, one.place)
    if one.sentences:
        number = min(one.sentences, key=lambda i: (-one.sentences[i], i))
    else:
        number = int((sentence_vectors(snapshot, one.place) @ reading.vector).argmax())
    chosen = sentences[number]
    span = Evidence(paper.id, paper.title, chosen.start, chosen.end, chosen.text)
    return Statement(chosen.text, (Citation(n, paper.id, paper.title, (span,)),), "unverified")


def _retrieved(library: Library, matched: Sequence[Listed], reading: Reading) -> tuple[Hit, ...]:
    """What is listed, best first, and then what retrieval found; scores fall all the way."""
    papers = library.snapshot.papers
    known = {hit.paper.id: hit for hit in reading.hits}
    floor = max((hit.score for hit in reading.hits), default=0.0) + 1.0
    least = min((one.strength for one in matched), default=0.0)
    listed = [
        replace(
            known.get(papers[one.place].id, Hit(papers[one.place], 1, 0.0)),
            score=round(floor + one.strength - least, 6),
        )
        for one in matched
    ]
    taken = {hit.paper.id for hit in listed}
    others = [hit for hit in reading.hits if hit.paper.id not in taken]
    most = max(RETRIEVED, len(listed))
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate([*listed, *others][:most], 1))
