"""Criteria with the words that no paper holds as those of the papers they are a slip from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.embed import is_word
from rag.listing.asking import ASK
from rag.listing.criteria import Criteria, Criterion, Topic, Words
from rag.listing.predicates import EMPTY
from rag.listing.slips import one_slip
from rag.listing.terms import canonical, words_of
from rag.matching.literal import abstract_of, title_of
from rag.names import is_name_like
from rag.words import STOPWORDS, stem

if TYPE_CHECKING:
    from rag.store import Snapshot

SHORTEST = 5  # letters of a word that is taken for a slip of another
MOST_READ = 4000  # papers; of a larger collection nearly every word is held, slips too


def spelled_right(snapshot: Snapshot, criteria: Criteria) -> Criteria:
    """*criteria* as the papers would spell them; quotations and names are left as they are."""
    if len(snapshot.papers) > MOST_READ:
        return criteria
    slips: dict[str, str] = {}
    for word in dict.fromkeys(word for phrase in _phrases(criteria) for word in words_of(phrase)):
        lower = word.lower()
        if (
            len(lower) < SHORTEST
            or not lower.isalpha()
            or lower in STOPWORDS | ASK | EMPTY
            or is_name_like(word)
            or is_word(lower)
        ):
            continue
        if not any(map(snapshot.lexical.document_frequency, {stem(lower), canonical(lower)})):
            meant = _meant(snapshot, lower)
            slips |= {word: meant} if meant else {}
    if not slips:
        return criteria
    return Criteria(
        tuple(
            replace(clause, any_of=tuple(_mended(one, slips) for one in clause.any_of))
            for clause in criteria.clauses
        )
    )


def _phrases(criteria: Criteria) -> Iterator[str]:
    for criterion in (one for clause in criteria.clauses for one in clause.any_of):
        if isinstance(criterion, Topic):
            yield from (criterion.text, *criterion.alternatives)
        elif isinstance(criterion, Words) and not criterion.exact:
            yield from (form for spellings in criterion.alternatives for form in spellings)


def _mended(criterion: Criterion, slips: dict[str, str]) -> Criterion:
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, slips))})\b")

    def right(phrase: str) -> str:
        return pattern.sub(lambda found: slips[found[0]], phrase)

    if isinstance(criterion, Topic):
        alternatives = tuple(map(right, criterion.alternatives))
        return Topic(right(criterion.text), alternatives, criterion.examples)
    if isinstance(criterion, Words) and not criterion.exact:
        said = tuple(tuple(map(right, spellings)) for spellings in criterion.alternatives)
        return replace(criterion, alternatives=said)
    return criterion


def _meant(snapshot: Snapshot, word: str) -> str:
    """The commonest word of the papers that one slip of a letter away is *word*; "" for none."""
    near: Counter[str] = Counter()
    start = word[0]
    for place in range(len(snapshot.papers)):
        text = f"{title_of(snapshot, place)} {abstract_of(snapshot, place)}".lower()
        found = re.findall(rf"\b{start}[a-z]{{{len(word) - 2},{len(word)}}}\b", text)
        near.update(other for other in set(found) if one_slip(word, other))
    return min(near, key=lambda other: (-near[other], other), default="")
