"""Lists and counts: criteria read from the question, decided for every paper."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag.compose import compose
from rag.listing import topics
from rag.listing.asked import read_criteria, read_loosely, without_criterion
from rag.listing.criteria import Clause, Criteria, Criterion, Topic, Words, described
from rag.listing.plural import MAYBE_ONE_PAPER, list_reason
from rag.listing.terms import find, is_name
from rag.matching.literal import Match, title_of
from rag.matching.matches import Collected, meeting
from rag.matching.spelling import spelled_right
from rag.prompts import render
from rag.question import focus
from rag.retrieve import (
    RARE_NAME,
    Library,
    Reading,
    introduced_names,
    read,
    rough_vectors,
    sentences_of,
)
from rag.types import Citation, Coverage, Draft, Evidence, Hit, Source, Statement

RETRIEVED = 20
MOST_LISTED_OF_ALL = 500  # papers that are listed where all are asked for; more are only counted
SEVERAL = 2  # papers that make a list of what is not plainly asked for as one
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
    if not list_reason(asked) and _is_off_topic(library, asked):
        return None
    criteria = read_criteria(asked)
    snapshot = library.snapshot
    wanted = without_criterion(asked) if criteria is None else ""
    if not snapshot.papers or (criteria is None and not wanted):
        return None
    reading = read(snapshot, library.embedder, asked, RETRIEVED)
    found_at = time.perf_counter()
    if criteria is None:
        return (_all_papers if wanted == "all" else _unnamed)(library, reading, found_at)
    criteria = spelled_right(snapshot, criteria)
    matched, near = decide(library, criteria)
    looser = loosened(criteria)
    if not matched and looser is not None:
        criteria = looser
        matched, near = decide(library, criteria)
    bag = None if matched else read_loosely(asked)
    if bag is not None and len(bag.clauses) >= len(criteria.clauses) and bag != criteria:
        bag = spelled_right(snapshot, bag)
        loose_matched, loose_near = decide(library, bag)
        if loose_matched:  # read by its grammar nothing is met, read by what it names something is
            criteria, matched, near = bag, loose_matched, loose_near
    if _means_its_own(library, matched, reading):
        return None
    message = _message(criteria, len(matched), len(snapshot.papers))
    return _draft(library, matched, near, reading, message, described(criteria), found_at)


def _all_papers(library: Library, reading: Reading, found_at: float) -> Draft:
    """Every paper by its title with its first sentence; of very many only the count."""
    papers = library.snapshot.papers
    few = len(papers) <= MOST_LISTED_OF_ALL
    order = sorted(range(len(papers)), key=lambda p: (papers[p].title.casefold(), papers[p].id))
    listed = [Listed(place, 0.0, {0: 1.0}) for place in (order if few else ())]
    held = _papers(len(papers))
    message = render("list_all", count=held) if few else render("list_counted", count=held)
    draft = _draft(library, listed, [], reading, message, "all papers", found_at)
    return replace(draft, abstention=None, coverage=Coverage(len(papers), len(papers), len(papers)))


def _unnamed(library: Library, reading: Reading, found_at: float) -> Draft:
    """What to do where the question does not say which papers are wanted."""
    message = render("list_unnamed", count=_papers(len(library.snapshot.papers)))
    return Draft(
        "list",
        abstention="off_topic",
        message=message,
        retrieved=reading.hits,
        trace={"focus": reading.question, "criteria": "nothing named"},
        found_at=found_at,
    )


def _papers(count: int) -> str:
    return f"{count:,} paper" + ("" if count == 1 else "s")


def loosened(criteria: Criteria) -> Criteria | None:
    """*criteria* with what papers "work with" as topics, where no paper has the words; or None."""
    clauses = tuple(
        replace(clause, any_of=tuple(_as_topic(one) for one in clause.any_of))
        for clause in criteria.clauses
    )
    return replace(criteria, clauses=clauses) if clauses != criteria.clauses else None


def _as_topic(criterion: Criterion) -> Criterion:
    if not isinstance(criterion, Words) or not criterion.used or criterion.exact:
        return criterion
    phrases = tuple(spellings[0] for spellings in criterion.alternatives)
    named = any(is_name(phrase) or phrase != phrase.lower() for phrase in phrases)
    return criterion if named else Topic(" or ".join(phrases), phrases)


def decide(library: Library, criteria: Criteria) -> tuple[list[Listed], list[Listed]]:
    """The papers that meet every clause, best first, and those that nearly do; ties by paper id."""
    collected = Collected(library.snapshot, library.embedder)
    papers = library.snapshot.papers
    listed: dict[int, Listed] | None = None  # None: nothing has been ruled out yet
    near: set[int] = set()
    # A topic asked for beside something else need not be all that the paper is about.
    beside = any(not clause.negated and not _is_topic(clause) for clause in criteria.clauses)
    for clause in sorted(criteria.clauses, key=_cost):
        among = collected.places() if listed is None else sorted(listed)
        loose = beside or clause.negated
        found = meeting(collected, clause, among, topics.CUT_BESIDE if loose else topics.CUT)
        if clause.negated:
            known = listed if listed is not None else {p: Listed(p, 0.0, {}) for p in among}
            listed = {p: one for p, one in known.items() if p not in found or found[p].near}
            continue
        listed = {
            p: _joined(listed[p] if listed else Listed(p, 0.0, {}), m) for p, m in found.items()
        }
        near |= {place for place, match in found.items() if match.near}
    listed = listed or {}
    order = sorted(listed.values(), key=lambda one: (-one.strength, papers[one.place].id))
    return (
        [one for one in order if one.place not in near],
        [one for one in order if one.place in near][:MOST_NEAR],
    )


def _cost(clause: Clause) -> tuple[bool, int]:
    """Literal criteria come first, topics later, and what is ruled out last."""
    return clause.negated, int(_is_topic(clause))


def _is_topic(clause: Clause) -> bool:
    return any(isinstance(one, Topic) for one in clause.any_of)


def _joined(listed: Listed, match: Match) -> Listed:
    sentences = dict(listed.sentences)
    for number, value in match.sentences.items():
        sentences[number] = sentences.get(number, 0.0) + value
    return Listed(listed.place, listed.strength + match.strength, sentences)


def _means_its_own(library: Library, matched: Sequence[Listed], reading: Reading) -> bool:
    """Whether a question that reads like one for a list is about one paper that it names.

    "Who uses CodeCompose?" finds CodeCompose itself, and "to how many models can ModelScopeGPT
    connect" no other paper than ModelScopeGPT's, if any: those are questions to one abstract. What
    is taken for a list by its manner alone is one if it names no paper and several surely match.
    """
    asked = reading.question
    if not list_reason(asked):
        surely = sum(one.strength >= topics.CUT for one in matched)
        return surely < SEVERAL or bool(_introduced_alone(library, asked))
    heads = [title_of(library.snapshot, one.place).partition(":") for one in matched]
    if _WHO_USES.match(asked) and len(matched) <= RARE_NAME:
        return any(colon and find(head, asked) for head, colon, _ in heads)
    if len(matched) > 1 or list_reason(asked) not in MAYBE_ONE_PAPER:
        return False
    alone = _introduced_alone(library, asked)
    found = {library.snapshot.papers[one.place].id for one in matched}
    return len(alone) == 1 and found <= alone


def _is_off_topic(library: Library, asked: str) -> bool:
    """Whether what only reads like a list is nothing for this collection: "my doorbell hums"."""
    reading = read(library.snapshot, library.embedder, asked, RETRIEVED, library.reader)
    return compose(library.snapshot, reading).assessment.outcome == "off_topic"


def _introduced_alone(library: Library, asked: str) -> set[str]:
    """Ids of the papers of whose own names *asked* holds one that no other paper introduces."""
    owners = introduced_names(library.snapshot, asked).values()
    return {next(iter(papers)) for papers in owners if len(papers) == 1}


_WHO_USES = re.compile(r"\W*who (?:actually |really )?uses\b", re.IGNORECASE)


def _draft(
    library: Library,
    matched: Sequence[Listed],
    near: Sequence[Listed],
    reading: Reading,
    message: str,
    criteria: str,
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
        message=message,
        coverage=Coverage(papers_in_corpus=count, papers_read=count, matched=len(matched)),
        near=offered,
        retrieved=_retrieved(library, matched, reading),
        trace={"focus": reading.question, "criteria": criteria},
        found_at=found_at,
    )


def _message(criteria: Criteria, matched: int, count: int) -> str:
    told = described(criteria, single=matched == 1 or count == 1)
    if not matched:
        return render("list_empty", count=_papers(count), criteria=told)
    return render("list", matched=f"{matched:,}", count=f"{count:,}", criteria=told)


def _statement(library: Library, n: int, one: Listed, reading: Reading) -> Statement:
    """The sentence that shows best why the paper is listed; if none does, the closest one."""
    snapshot = library.snapshot
    paper = snapshot.papers[one.place]
    sentences = sentences_of(snapshot, one.place)
    if one.sentences:
        number = min(one.sentences, key=lambda i: (-one.sentences[i], i))
    else:
        number = int((rough_vectors(snapshot, one.place) @ reading.vector).argmax())
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
