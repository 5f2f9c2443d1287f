"""Extractive answers: the sentences that answer, quoted exactly, each with its citation.

One to four statements, from one paper when the question is about one. What is not said is not
filled in: `rag.assess` decides whether there is an answer at all.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag import evidence
from rag.assess import (
    OUTCOMES,
    SIGNALS,
    Assessment,
    Calibration,
    Seen,
    assess,
    calibration,
    signals,
    stated_share,
)
from rag.dialogue.cue import is_foreign
from rag.names import asked_names, is_name_like, key_of, names_in
from rag.question import asks_for_several, compares, focus, missing_formal_words, wanted
from rag.retrieve import Library, Reading, read, read_whole, sentence_vectors, sentences_of
from rag.types import Citation, Draft, Evidence, Hit, PairRead, Paper, Sentence, Source, Statement
from rag.words import STOPWORDS, content_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.store import Snapshot

MOST_STATEMENTS = 4
MOST_PER_PAPER = 4
MOST_PAPERS = 4
LISTED_COVERAGE = 0.5  # share of the question's rarity that a paper of a list must hold
SHORT_REST = 1  # words of content beside a name in a question that is all about the name
CLOSE_SECOND = 0.6  # a second paper this near, in standard deviations, is quoted too
# What every abstract tells in some way: asked of a paper by name, it is never "not stated".
OF_ALL = frozenset(
    content_words(
        "main key central core chief overall general results findings conclusions outcomes"
        " contributions ideas points goals aims purposes gist summary motivation approach method"
        " problem problems challenge address addresses solve solves tackle tackles"
    )
)
MOST_LOOKED_UP = 7  # words of what is looked up rather than asked
UNKNOWN_AT_LEAST, COVERED_BELOW = 0.25, 0.35  # shares of the rarity of its words
_UNKNOWN_WORDS, _COVERAGE_BEST = SIGNALS.index("unknown_words"), SIGNALS.index("coverage_best")


@dataclass(frozen=True, slots=True)
class Scored:
    """A sentence with the probability that it is the one of its abstract that answers."""

    sentence: Sentence
    probability: float


@dataclass(frozen=True, slots=True)
class Composition:
    """What to show for a question, before it is verified."""

    statements: tuple[Statement, ...]
    sources: tuple[Source, ...]
    assessment: Assessment
    papers_read: int


def answer(library: Library, question: str, k: int) -> Draft:
    """Answer *question* from the best of *k* papers, or say in which way there is no answer."""
    reading = read(library.snapshot, library.embedder, focus(question), k, library.reader)
    found_at = time.perf_counter()
    made = compose(library.snapshot, reading)
    return Draft(
        "answer",
        statements=made.statements,
        sources=made.sources,
        abstention=made.assessment.abstention,
        retrieved=reading.hits,
        trace={
            "focus": reading.question,
            "outcomes": " ".join(str(share) for share in made.assessment.probabilities),
            "unknown names": " ".join(reading.named.unknown),
        },
        found_at=found_at,
    )


def compose(snapshot: Snapshot, reading: Reading) -> Composition:
    """Answer *reading*'s question from its hits, or say in which way there is no answer."""
    if not reading.hits:
        return Composition((), (), Assessment("no_paper", (0.0, 0.0, 1.0, 0.0)), 0)
    values = question_signals(snapshot, reading)
    judged = _in_another_language(reading, assess(values, _fitted(reading)))
    judged = _never_strange(reading, judged)
    if judged.outcome == "answer" and _is_searched_in_vain(reading, values):
        judged = replace(judged, outcome="no_paper")
    if judged.outcome == "not_stated" and _asks_what_all_tell(reading):
        judged = replace(judged, outcome="answer")
    several = _several(reading) if judged.outcome != "off_topic" else ()
    if several:
        # Whether *one* abstract answers was never the question: each side says what it says.
        judged = replace(judged, outcome="answer")
    if judged.outcome == "not_stated":
        at_hand = _at_hand(reading.hits)
        return Composition((), at_hand, judged, len(at_hand))
    if judged.outcome != "answer":
        return Composition((), (), judged, len(reading.hits))
    chosen = several or _one_or_two(reading.hits)
    statements, sources = _quote(snapshot, reading, chosen)
    return Composition(statements, sources, judged, len(chosen))


def question_signals(
    snapshot: Snapshot, reading: Reading, weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """The values of `assess.SIGNALS` for a question with at least one hit.

    *weights* are those of the sentence logit; the calibrated ones if not given.
    """
    first = reading.hits[0]
    place = snapshot.places[first.paper.id]
    vectors = sentence_vectors(snapshot, place)
    seen = Seen(
        question=reading.question,
        whole=first.whole,
        whole_best=max(hit.whole for hit in reading.hits),
        sentence_best=max(hit.best_sentence for hit in reading.hits),
        coverage=reading.coverage[0],
        coverage_best=max(reading.coverage),
        named=first.named,
        unknown_names=len(reading.named.unknown),
        lead=first.score - reading.hits[1].score if len(reading.hits) > 1 else 10.0,
        own_names=own_names(reading.question, first.paper),
        title=first.paper.title,
        abstract=first.paper.abstract,
        sentences=tuple(sentence.text for sentence in sentences_of(snapshot, place)),
        cosines=vectors @ reading.vector,
        sentence_scores=sentence_features(snapshot, reading, first.paper)
        @ (_fitted(reading).sentence_weights if weights is None else weights),
        read=reading.first,
    )
    frequency = snapshot.lexical.document_frequency
    return signals(seen, rarity_of(snapshot), lambda term: frequency(term) == 0)


def is_stated(snapshot: Snapshot, reading: Reading, least: float | None = None) -> bool:
    """Whether the abstract of *reading*'s one paper, known to be meant, answers its question.

    It does from a probability of *least*, or else of the calibrated one.
    """
    fitted = _fitted(reading)
    share = stated_share(question_signals(snapshot, reading), fitted.stated_weights)
    return share >= (fitted.stated_at_least if least is None else least)


def rarity_of(snapshot: Snapshot) -> Callable[[str], float]:
    """BM25's inverse document frequency of a term in this collection, 0 or more."""
    count = len(snapshot.papers)
    known: dict[str, float] = {}

    def rarity(term: str) -> float:
        if term not in known:
            found = min(count, snapshot.lexical.document_frequency(term))
            known[term] = math.log(1 + (count - found + 0.5) / (found + 0.5))
        return known[term]

    return rarity


def own_names(question: str, paper: Paper) -> tuple[str, ...]:
    """The names in *question* that *paper* introduces, as the question writes them."""
    introduced = {n.key for n in names_in(paper.title, paper.abstract) if n.introduced}
    return tuple(surface for key, surface in asked_names(question) if key in introduced)


def score_sentences(snapshot: Snapshot, reading: Reading, paper: Paper) -> tuple[Scored, ...]:
    """All sentences of *paper*, the likeliest to answer first; probabilities sum to 1."""
    sentences = sentences_of(snapshot, snapshot.places[paper.id])
    rows = sentence_features(snapshot, reading, paper)
    shares = evidence.probabilities(rows, _fitted(reading).sentence_weights)
    order = sorted(range(len(sentences)), key=lambda i: (-shares[i], i))
    return tuple(Scored(sentences[i], float(shares[i])) for i in order)


def sentence_features(snapshot: Snapshot, reading: Reading, paper: Paper) -> NDArray[np.float64]:
    """`evidence.features` of the sentences of *paper*, in order."""
    place = snapshot.places[paper.id]
    vectors = sentence_vectors(snapshot, place)
    read = _read(snapshot, reading, paper)
    return evidence.features(
        reading.question,
        paper.title,
        own_names(reading.question, paper),
        [sentence.text for sentence in sentences_of(snapshot, place)],
        vectors @ reading.vector,
        None if read is None else read.evidence,
        rarity_of(snapshot),
    )


def _read(snapshot: Snapshot, reading: Reading, paper: Paper) -> PairRead | None:
    """What the reader makes of all of *paper*; None where there is no reader."""
    if reading.first is not None and paper.id == reading.hits[0].paper.id:
        return reading.first
    if reading.reader is None:
        return None
    return read_whole(snapshot, reading.reader, reading.question, snapshot.places[paper.id])


def _fitted(reading: Reading) -> Calibration:
    return calibration(read=reading.reader is not None)


def _in_another_language(reading: Reading, judged: Assessment) -> Assessment:
    """The likeliest outcome of a question in another language than English.

    The thresholds below which the collection stays silent were chosen on English questions.
    """
    if not is_foreign(reading.question):
        return judged
    return replace(judged, outcome=OUTCOMES[int(np.argmax(judged.probabilities))])


def _asks_what_all_tell(reading: Reading) -> bool:
    """Whether a question on a paper that it names asks for its results, its idea and the like.

    Never one for a number or a formality: "when was X?" has no word but the name, and no abstract
    need tell it.
    """
    first = reading.hits[0].paper
    own = own_names(reading.question, first) if first.id in reading.named.introduced else ()
    rest = content_words(reading.question) - {term for name in own for term in content_words(name)}
    kind = wanted(reading.question)
    return bool(own) and rest <= OF_ALL and not (kind.number or kind.formal)


def _is_searched_in_vain(reading: Reading, values: NDArray[np.float64]) -> bool:
    """Whether a few words to look up name nothing of the first paper and hold one unknown to all.

    "3d gaussian splatting rendering speed" is no question in words of one's own: without
    "splatting" there is nothing to be found. Who writes so and was answered rightly named the
    paper, or had more of its words (0.37 of their rarity and more, in the cases).
    """
    bare = not reading.question.rstrip().endswith("?")
    if not bare or len(reading.question.split()) > MOST_LOOKED_UP or reading.hits[0].named:
        return False
    unknown, covered = values[_UNKNOWN_WORDS], values[_COVERAGE_BEST]
    return bool(unknown >= UNKNOWN_AT_LEAST and covered < COVERED_BELOW)


def _never_strange(reading: Reading, judged: Assessment) -> Assessment:
    """A short question that names a paper's own system is about that paper.

    "What does Holmes do?" gives the logit little more than a name to go by; a longer question says
    by its other words whether it means the system or, say, the animal. In another language these
    words tell nothing.
    """
    first = reading.hits[0].paper
    strange = judged.outcome in {"off_topic", "no_paper"} and first.id in reading.named.introduced
    own = own_names(reading.question, first) if strange else ()
    rest = content_words(reading.question) - {term for name in own for term in content_words(name)}
    if not own or (len(rest) > SHORT_REST and not is_foreign(reading.question)):
        return judged
    formal = missing_formal_words(reading.question, [first.abstract])
    return replace(judged, outcome="not_stated" if formal else "answer")


def _several(reading: Reading) -> tuple[Paper, ...]:
    """The papers to quote where several are wanted: the sides named, or the best of a list.

    Empty where the question is about one paper.
    """
    sides = _sides(reading) if compares(reading.question) else ()
    if len(sides) > 1:
        return sides[:MOST_PAPERS]
    if not asks_for_several(reading.question):
        return ()
    covered = zip(reading.hits[:MOST_PAPERS], reading.coverage, strict=False)
    return tuple(hit.paper for hit, share in covered if hit.named or share >= LISTED_COVERAGE)


def _one_or_two(hits: Sequence[Hit]) -> tuple[Paper, ...]:
    """The first paper, and the second where retrieval can hardly tell them apart."""
    close = len(hits) > 1 and hits[0].score - hits[1].score < CLOSE_SECOND
    return (hits[0].paper, hits[1].paper) if close and not hits[0].named else (hits[0].paper,)


def _sides(reading: Reading) -> tuple[Paper, ...]:
    """Papers that introduce different names of the question, in the question's order."""
    words = reading.question.casefold()
    sides: list[tuple[int, Paper]] = []
    taken: set[str] = set()
    for hit in reading.hits[:10]:
        if hit.paper.id not in reading.named.introduced:
            continue
        names = [n for n in own_names(reading.question, hit.paper) if _distinct(n)]
        fresh = [name for name in names if key_of(name) not in taken]
        if fresh:
            taken |= {key_of(name) for name in fresh}
            sides.append((words.find(fresh[0].casefold()), hit.paper))
    return tuple(paper for _, paper in sorted(sides, key=lambda side: side[0]))


def _distinct(name: str) -> bool:
    short = len(name) < 3 and not any(
        char.isdigit() for char in name
    )  # "B4" is a name, "AI" is none
    return name.lower() not in STOPWORDS and not short


def _quote(
    snapshot: Snapshot, reading: Reading, papers: Sequence[Paper]
) -> tuple[tuple[Statement, ...], tuple[Source, ...]]:
    """Statements and numbered sources: per paper its best sentences, in the abstract's order."""
    each = MOST_PER_PAPER if len(papers) == 1 else max(1, MOST_STATEMENTS // len(papers))
    number = wanted(reading.question).number
    fitted = _fitted(reading)
    least = fitted.share_at_least_number if number else fitted.share_at_least
    statements: list[Statement] = []
    sources: list[Source] = []
    for n, paper in enumerate(papers, 1):
        scored = score_sentences(snapshot, reading, paper)
        sources.append(Source(n, paper.id, paper.title))
        for sentence in _worth_showing(scored, each, least):
            span = Evidence(paper.id, paper.title, sentence.start, sentence.end, sentence.text)
            cited = Citation(n, paper.id, paper.title, (span,))
            statements.append(Statement(sentence.text, (cited,), "unverified"))
    return tuple(statements), tuple(sources)


def _worth_showing(scored: Sequence[Scored], most: int, least: float) -> list[Sentence]:
    """The likeliest sentence, and further ones that are likely enough, best first."""
    kept = [one.sentence for one in scored[:most] if one.probability >= least]
    return kept or [scored[0].sentence]


def _at_hand(hits: Sequence[Hit]) -> tuple[Source, ...]:
    """The papers that are on the subject though they do not say: the first, and close seconds."""
    near = [hit for hit in hits[:3] if hits[0].score - hit.score < 2 * CLOSE_SECOND]
    return tuple(Source(n, hit.paper.id, hit.paper.title) for n, hit in enumerate(near, 1))


def example_questions(snapshot: Snapshot, most: int) -> tuple[str, ...]:
    """Questions of every shape about papers spread over the collection, the same each time.

    The first ask about one paper that introduces a name of its own; the last but one sets two such
    papers side by side, and the last lists those that mention a name. A small collection may give
    fewer than *most*.
    """
    named = _named_papers(snapshot)
    shapes = [*_example_comparison(snapshot, named), *_example_list(snapshot)][: max(0, most - 1)]
    names = [name for name, _ in named if not any(name in asked for asked in shapes)]
    step = max(1, len(names) // max(1, most))
    single = [
        pattern.format(name=name) for pattern, name in zip(_EXAMPLES, names[::step], strict=False)
    ]
    return (*single[: most - len(shapes)], *shapes)


def _named_papers(snapshot: Snapshot) -> list[tuple[str, int]]:
    """Names of one or two words before a title's colon, each with its paper's place; a sample."""
    step = max(1, len(snapshot.papers) // _SAMPLE)
    found: dict[str, int] = {}
    for place in range(0, len(snapshot.papers), step):
        head, colon, _ = snapshot.papers[place].title.partition(":")
        head = head.strip()
        short = 3 < len(head) <= 24 and len(head.split()) <= 2
        if colon and short and any(map(is_name_like, head.split())) and head.isascii():
            found.setdefault(head, place)
    return list(found.items())


def _example_comparison(snapshot: Snapshot, named: Sequence[tuple[str, int]]) -> list[str]:
    """A comparison of the two named papers whose abstracts are closest; ties by their order."""
    if len(named) < 2:
        return []
    vectors = snapshot.chunks[snapshot.chunk_starts[[place for _, place in named]]]
    likeness = np.triu(vectors @ vectors.T, 1)
    first, second = divmod(int(likeness.argmax()), len(named))
    return [f"How do {named[first][0]} and {named[second][0]} differ?"]


def _example_list(snapshot: Snapshot) -> list[str]:
    """A list of the papers that mention what about ten papers measure on; ties by name."""
    step = max(1, len(snapshot.papers) // _SAMPLE)
    measured: Counter[str] = Counter()
    for paper in snapshot.papers[::step]:
        measured.update(set(_MEASURED_ON.findall(paper.abstract)))
    several = [name for name, count in measured.items() if count > 1]
    return [
        f"Which papers mention {name}?"
        for name in sorted(several, key=lambda name: (abs(measured[name] - _A_HANDFUL), name))[:1]
    ]


_EXAMPLES = (
    "What does {name} do?",
    "Which problem does {name} address?",
    "What did the experiments with {name} show?",
    "How does {name} work?",
)
_SAMPLE = 500  # papers looked at for examples
_A_HANDFUL = 10  # papers of an example's list: enough to see that it counts, few enough to read
_MEASURED_ON = re.compile(r"\bon (?:the )?([A-Z][a-z]{2,}[A-Z][A-Za-z]+)\b")
