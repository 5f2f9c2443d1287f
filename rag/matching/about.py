"""What the papers of a collection show of a topic, in their words and in their vectors."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.listing import topics
from rag.listing.closeness import stand_close, stems_in, stems_of
from rag.listing.criteria import Topic
from rag.listing.terms import find_any, singular, words_of
from rag.matching.literal import (
    abstract_of,
    candidates,
    other_names,
    sentences_in,
    tells_own,
    title_of,
)
from rag.names import is_name_like
from rag.rank import best_places, standardise_by
from rag.retrieve import closest_sentences, rough_vectors, sampled_sentences
from rag.rows import ALL_IN_MEMORY
from rag.types import Embedder
from rag.words import STOPWORDS, compounds, content_words, stem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.store import Snapshot

LITTLE = 0.4  # of its rarity counts a word that heads many subjects
# A phrase that no paper has, "worry catastrophic forgetting", may hold one that some have.
FEWEST_WORDS, MOST_WORDS, MOST_OF_IT = 2, 9, 0.5
MOST_READ = 4000  # papers whose words are read for a topic, the likeliest first


def topic_signs(
    snapshot: Snapshot, embedder: Embedder, topic: Topic, among: Collection[int]
) -> Iterator[tuple[int, topics.Signs, dict[int, float]]]:
    """What each paper shows of *topic*: place, signs, sentences that show it."""
    topic = _with_known_parts(snapshot, topic)
    phrases = list(dict.fromkeys((topic.text, *topic.alternatives, *topic.examples)))
    # In which number a topic is asked for must not decide which papers are about it.
    vectors = embedder(list(dict.fromkeys(map(singular, phrases))))
    whole = _standard(_closest(snapshot.chunks @ vectors.T, snapshot.chunk_starts))
    forms = _topic_forms(snapshot, topic, among)
    asked = dict.fromkeys(
        form for phrase in (topic.text, *topic.alternatives) for form in shortened(phrase)
    )
    rare = [words for words in (_rare_words(snapshot, phrase) for phrase in asked) if words]
    late = snapshot.late is not None  # then the windows have to do for both
    every = len(snapshot.papers) <= ALL_IN_MEMORY
    sentence = _sentence_signs(snapshot, vectors, None) if every and not late else whole
    places: Iterable[int] = among
    if len(among) > MOST_READ:
        order = _likeliest(np.maximum(whole, sentence), among)
        places = sorted({*order, *candidates(snapshot, forms, among)})
    if not every and not late:
        sentence = _sentence_signs(snapshot, vectors, places)
    for place in places:
        signs, shown = _signs(
            snapshot, place, forms, rare, float(whole[place]), float(sentence[place])
        )
        if not shown and (signs.whole > 1 or signs.in_title):
            rows = (rough_vectors(snapshot, place) @ vectors.T).max(axis=1)
            shown = {int(rows.argmax()): 0.5}
        yield place, signs, shown


def _with_known_parts(snapshot: Snapshot, topic: Topic) -> Topic:
    """*topic*, of each phrase that no paper has also the part that some have, if it says most."""
    parts = (_known_part(snapshot, phrase) for phrase in topic.alternatives)
    known = [part for part in parts if part and part not in topic.alternatives]
    return replace(topic, alternatives=(*topic.alternatives, *known)) if known else topic


def _known_part(snapshot: Snapshot, phrase: str) -> str:
    """The longest run of words of *phrase* that some paper has, with most of its rarity; or ""."""
    words = phrase.split()
    if not FEWEST_WORDS < len(words) <= MOST_WORDS or _stands(snapshot, phrase):
        return ""
    rarities = [sum(word.rarity for word in _rare_words(snapshot, one)) for one in words]
    for length in range(len(words) - 1, FEWEST_WORDS - 1, -1):
        for start in range(len(words) - length + 1):
            run = words[start : start + length]
            most = sum(rarities[start : start + length]) >= MOST_OF_IT * sum(rarities)
            ends = rarities[start] and rarities[start + length - 1]
            if most and ends and _stands(snapshot, " ".join(run)):
                return " ".join(run)
    return ""


def _stands(snapshot: Snapshot, phrase: str) -> bool:
    """Whether some paper has *phrase*, in its title or its abstract."""
    return any(
        find_any([phrase], f"{title_of(snapshot, place)}\n{abstract_of(snapshot, place)}")
        for place in candidates(snapshot, [phrase], range(len(snapshot.papers)))
    )


def _likeliest(likely: NDArray[np.float64], among: Collection[int]) -> list[int]:
    """The MOST_READ places *among* at which *likely* is largest, ties by place."""
    known = np.array(sorted(among), dtype=np.intp)
    return [int(known[n]) for n in best_places(likely[known], MOST_READ)]


def _sentence_signs(
    snapshot: Snapshot, vectors: NDArray[np.float32], places: Iterable[int] | None
) -> NDArray[np.float64]:
    """How near each paper's closest sentence is, in standard deviations, (papers,).

    With *places* only for these, by the mean and deviation of a sample; the others have 0.
    """
    if places is None:
        closest = snapshot.sentences[:] @ vectors.T
        return _standard(_closest(closest, snapshot.sentence_starts))
    signs = np.full(len(snapshot.papers), np.nan)
    some = np.array(list(places), dtype=np.intp)
    signs[some] = closest_sentences(snapshot, some, vectors.T).max(axis=1)
    return standardise_by(signs, sampled_sentences(snapshot, vectors.T).max(axis=1))


def _topic_forms(snapshot: Snapshot, topic: Topic, among: Collection[int]) -> list[str]:
    """The phrases that are the topic where they stand, with acronyms and what those stand for."""
    forms = [
        form for phrase in (*topic.alternatives, *topic.examples) for form in shortened(phrase)
    ]
    telling = [form for form in forms if not _is_everywhere(snapshot, form)] or forms
    return [*telling, *other_names(snapshot, telling, among)]


def _is_everywhere(snapshot: Snapshot, form: str) -> bool:
    """Whether every word of *form* stands in a quarter of the papers: then it tells none apart."""
    most = len(snapshot.papers) / 4
    terms = content_words(form)
    return bool(terms) and all(snapshot.lexical.document_frequency(term) > most for term in terms)


_ATTACHED = re.compile(
    r"(?:multi|non|pre|post|self|co|sub|inter|cross|semi|meta|hyper|bi|uni|anti|re|un|de)-"
)
# Heads of so many subjects that the word before them is the subject: federated learning.
_SAYS_LITTLE = frozenset("learning training tuning data models model systems system".split())
_TAIL_NOUNS = frozenset(
    """
    models model methods method systems system techniques technique approaches approach algorithms
    algorithm architectures architecture networks network papers llms llm language large neural
    tasks problems
    """.split()
)
_HEAD = re.compile(
    r"\s(?:by|with|using|in|of|for|during|under|through|via|from|on|to|at)\s", re.IGNORECASE
)


def shortened(phrase: str) -> list[str]:
    """*phrase* as it may stand in a text, without what follows it and words that say little.

    >>> shortened("code generation by LLMs"), shortened("mixture-of-experts models")
    (['code generation by', 'code generation'], ['mixture-of-experts'])
    """
    head, *rest = _HEAD.split(phrase, maxsplit=1)
    if rest and _TAIL_NOUNS.issuperset(head.lower().split()):
        return [_without_tail(phrase), *shortened(rest[0])]
    forms = [_without_tail(phrase)]
    if len(words_of(head)) > 1 or (is_name_like(head) and head.lower() not in _TAIL_NOUNS):
        forms.append(_without_tail(head))
    return list(dict.fromkeys(forms))


def _without_tail(phrase: str) -> str:
    words = phrase.split()
    while len(words) > 1 and words[-1].lower() in _TAIL_NOUNS:
        if len(words) == 2 and not ("-" in words[0] or is_name_like(words[0])):
            break
        words.pop()
    return " ".join(words)


@dataclass(frozen=True, slots=True)
class _Rare:
    """A word of a topic with its rarity; a compound may stand joined or as its parts."""

    joined: str
    parts: tuple[str, ...]
    rarity: float

    def stands(self, stems: Collection[str]) -> bool:
        return self.joined in stems or all(part in stems for part in self.parts)


def _signs(
    snapshot: Snapshot,
    place: int,
    forms: Sequence[str],
    phrases: Sequence[Sequence[_Rare]],
    whole: float,
    sentence: float,
) -> tuple[topics.Signs, dict[int, float]]:
    title, abstract = title_of(snapshot, place), abstract_of(snapshot, place)
    title_stems = stems_in(title)
    abstract_stems = stems_in(abstract) | title_stems
    abstract_share = _most(phrases, abstract_stems)
    hit = bool(find_any(forms, abstract))
    shown: dict[int, float] = {}
    close = 0
    best = 0.0
    if hit or abstract_share > 0.5:
        for number, text in sentences_in(snapshot, place):
            stems = stems_in(text)
            best = max(best, _most(phrases, stems))
            if hit and find_any(forms, text):
                shown[number] = 1.0 + 0.5 * tells_own(text)
            elif any(
                stand_close([(w.joined, *w.parts) for w in phrase], text)
                for phrase in phrases
                if all(w.stands(stems) for w in phrase)
            ):
                close += 1
                shown[number] = 0.6 + 0.3 * tells_own(text)
    signs = topics.Signs(
        in_title=bool(find_any(forms, title)),
        sentences=len(shown) - close,
        title_share=_most(phrases, title_stems),
        abstract_share=abstract_share,
        sentence_share=best,
        whole=whole,
        sentence=sentence,
        close=close,
    )
    return signs, shown


def _rare_words(snapshot: Snapshot, phrase: str) -> tuple[_Rare, ...]:
    """The words of *phrase* with their rarity in the collection; empty words left out."""
    count = len(snapshot.papers)
    words: dict[str, _Rare] = {}
    for word in compounds(phrase):
        lower = word.lower()
        if lower in STOPWORDS:
            continue
        *parts, joined = stems_of(lower)
        if parts and _ATTACHED.match(lower):
            parts = [joined]  # "multi" and "agent" apart are not multi-agent
        held = min(count, max(map(snapshot.lexical.document_frequency, {stem(lower), joined})))
        rarity = float(np.log(1 + (count - held + 0.5) / (held + 0.5)))
        rarity *= LITTLE if lower in _SAYS_LITTLE else 1.0
        whole = tuple(part for part in parts if part not in STOPWORDS) or (joined,)
        words[joined] = _Rare(joined, whole, rarity)
    return tuple(words.values())


def _most(phrases: Sequence[Sequence[_Rare]], stems: Collection[str]) -> float:
    """The largest share of any phrase's rarity that *stems* hold, 0 to 1."""
    best = 0.0
    for phrase in phrases:
        total = sum(word.rarity for word in phrase)
        held = sum(word.rarity for word in phrase if word.stands(stems))
        best = max(best, held / total if total else 0.0)
    return best


def _closest(cosines: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    """The best cosine of any phrase with any row of each paper, (papers,)."""
    if len(starts) == 0:
        return np.zeros(0)
    best: NDArray[np.float32] = np.maximum.reduceat(cosines, starts, axis=0).max(axis=1)
    return best.astype(np.float64)


def _standard(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(scores.std()) if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)
