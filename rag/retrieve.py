"""Papers for a question: words, meaning and names, fused by normalised scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rag.names import asked_names, key_of, marked_names
from rag.rank import Signals, best_places, fuse
from rag.rows import ALL_IN_MEMORY, Stored
from rag.sentences import split
from rag.text import fold
from rag.types import Embedder, Hit, PairRead, PairReader, Sentence
from rag.words import query_terms, stem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.late import Kind, Late
    from rag.store import Snapshot

LEXICAL_HITS = 1000  # papers the lexical side may speak for
# Of more papers than `rows.ALL_IN_MEMORY` only these have their sentences compared with a question:
LIKELIEST = 1_000  # the best by all else that is known of them, and
SAMPLED = 2_000  # a sample, by which mean and deviation are estimated, to about 2 %
READ_LATE = 30  # papers whose windows are read while a question waits, where they are only rough
READ_CLOSELY = 10  # papers that are shown with their closest sentences, of which those are read
READ_SPARINGLY = 2  # … of many papers, where the sentences have no vectors yet: 25 ms each
AT_ONCE = 4_000  # papers whose sentences are in memory at a time
RARE_NAME = 3  # a name that more papers than this introduce or mention points at none of them
ORDINARY = 3  # a word in more papers than this is a name only where it is written as one
TITLE_HITS = 20  # papers by words, among which one whose title is quoted is sure to be
TITLE_WORDS = 3  # a shorter title may stand in a question without being meant


@dataclass(frozen=True, slots=True)
class Library:
    """One generation of a collection with the models that read it: all that a verb needs."""

    snapshot: Snapshot
    embedder: Embedder
    reader: PairReader | None


@dataclass(frozen=True, slots=True)
class NamedPapers:
    """What the names in a question point at."""

    introduced: frozenset[str]  # paper ids
    mentioned: frozenset[str]
    known: tuple[str, ...]  # names of the question that some paper has, as the question writes them
    unknown: tuple[str, ...]  # words written as names that no paper has


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as retrieval understood it, with the papers it found."""

    question: str  # folded, and apart from a title in brackets at its end
    vector: NDArray[np.float32]  # (dim,), unit length
    named: NamedPapers
    hits: tuple[Hit, ...]  # best first
    coverage: tuple[float, ...]  # of hits: share of the question's rarity in the paper, 0 to 1
    reader: PairReader | None = None
    first: PairRead | None = None  # of the first hit's whole abstract, if a reader read it


def read(
    snapshot: Snapshot,
    embedder: Embedder,
    question: str,
    k: int,
    reader: PairReader | None = None,
) -> Reading:
    """Find the *k* best papers for *question*, best first, ties by paper id.

    A *reader*, if given, reads the question beside the first one's whole abstract. It has no say in
    the order: measured, its view of the first ten made the order worse (README, "Figures").
    """
    folded = fold(question)
    vector = embedder([folded])[0]
    named = named_papers(snapshot, folded)
    if not snapshot.papers:
        return Reading(folded, vector, named, (), (), reader)
    signals = signals_of(snapshot, folded, vector, named)
    scores = fuse(signals, meaning=latin_share(folded))
    order = best_places(scores, k)  # papers are ordered by id, so that ties go by it
    hits = tuple(
        _hit(snapshot, signals, scores, place, rank, vector) for rank, place in enumerate(order, 1)
    )
    covered = tuple(float(signals.coverage[place]) for place in order)
    asked = apart_from_title(folded, hits[0].paper.title)
    if asked != folded:
        vector = embedder([asked])[0]
    first = read_whole(snapshot, reader, asked, order[0]) if reader is not None else None
    return Reading(asked, vector, named, hits, covered, reader, first)


def apart_from_title(question: str, title: str) -> str:
    """*question*, folded, without the *title* that it gives in brackets at its end.

    The title has found the paper. Within that paper it would only draw to the sentences that repeat
    its words.

    >>> apart_from_title("how big is it? (On the Colour of Beans)", "On the Colour of Beans")
    'how big is it?'
    """
    rest = question.removesuffix(f"({fold(title)})").strip()
    return rest if any(char.isalnum() for char in rest) else question


def read_one(library: Library, question: str, place: int) -> Reading:
    """*question* asked of the one paper at *place*, which is known to be meant."""
    snapshot, folded, reader = library.snapshot, fold(question), library.reader
    first = read_whole(snapshot, reader, folded, place) if reader is not None else None
    vector = library.embedder([folded])[0]
    chunks = window_vectors(snapshot, place)
    sentences = sentence_vectors(snapshot, place)
    hit = Hit(
        paper=snapshot.papers[place],
        rank=1,
        score=0.0,
        whole=float((chunks @ vector).max()),
        best_sentence=float((sentences @ vector).max()),
        named=True,
    )
    named = NamedPapers(frozenset({hit.paper.id}), frozenset(), (), ())
    return Reading(folded, vector, named, (hit,), (1.0,), reader, first)


def read_whole(snapshot: Snapshot, reader: PairReader, question: str, place: int) -> PairRead:
    """What *reader* makes of all of the abstract at *place*."""
    sentences = [sentence.text for sentence in sentences_of(snapshot, place)]
    return reader(question, [(snapshot.papers[place].title, sentences)])[0]


def latin_share(text: str) -> float:
    """Share of letters that are Latin, 0 to 1: the embedding model reads little else."""
    letters = [char for char in text if char.isalpha()]
    return sum(char.isascii() for char in letters) / len(letters) if letters else 1.0


def sentences_of(snapshot: Snapshot, place: int) -> tuple[Sentence, ...]:
    """The sentences of the paper at *place*, in order."""
    paper = snapshot.papers[place]
    return split(paper.id, paper.abstract)


def sentence_vectors(snapshot: Snapshot, place: int) -> NDArray[np.float32]:
    """Their vectors, float32 (sentences, dim), in the same order."""
    if snapshot.late is not None:
        return snapshot.late.vectors("sentences", [snapshot.papers[place]])[0]
    return _rows(snapshot.sentences, snapshot.sentence_starts, place)


def rough_vectors(snapshot: Snapshot, place: int) -> NDArray[np.float32]:
    """The same for lists, which ask for those of very many papers: rough if they must be made."""
    if snapshot.late is not None:
        return snapshot.late.roughly(snapshot.papers[place])
    return sentence_vectors(snapshot, place)


def window_vectors(snapshot: Snapshot, place: int) -> NDArray[np.float32]:
    """The vectors of the windows of the paper at *place*, float32 (windows, dim)."""
    if snapshot.late is not None and snapshot.late.rough:
        return snapshot.late.vectors("windows", [snapshot.papers[place]])[0]
    return _rows(snapshot.chunks, snapshot.chunk_starts, place)


def _rows(
    matrix: NDArray[np.float32] | Stored, starts: NDArray[np.intp], place: int
) -> NDArray[np.float32]:
    """The rows of the paper at *place*, of which *starts* gives every paper's first."""
    last = starts[place + 1] if place + 1 < len(starts) else len(matrix)
    return matrix[starts[place] : last]


def signals_of(
    snapshot: Snapshot,
    question: str,
    vector: NDArray[np.float32],
    named: NamedPapers,
    beside: Sequence[int] = (),
) -> Signals:
    """What is known of every paper for a folded *question* whose vector is *vector*.

    Of a large collection only the sentences of the likeliest papers, and of those at the places
    *beside*, are looked at.
    """
    terms = query_terms(question)
    limit = min(LEXICAL_HITS, max(1, len(snapshot.lexical)))
    found = snapshot.lexical.search(terms, limit)
    lexical = _spread(snapshot, found)
    cut_off = len(found) == limit < len(snapshot.lexical)
    # Words of another script cannot stand in an English abstract: their absence tells nothing.
    latin = {term: weight for term, weight in terms.items() if term.isascii()}
    coverage = _spread(snapshot, snapshot.lexical.coverage(latin, limit).items())
    known = Signals(
        lexical=lexical,
        coverage=coverage,
        whole=_best_per_paper(snapshot.chunks @ vector, snapshot.chunk_starts),
        sentence=np.full(len(snapshot.papers), np.nan),
        introduced=_marked(snapshot, named.introduced),
        mentioned=_marked(snapshot, named.mentioned),
        lexical_floor=found[-1][1] if cut_off else 0.0,
        sample=np.zeros(0),
    )
    if snapshot.late is not None:
        return _read_late(snapshot, snapshot.late, known, question, vector, beside)
    if len(snapshot.papers) <= ALL_IN_MEMORY:
        cosines = snapshot.sentences[:] @ vector
        best = _best_per_paper(cosines, snapshot.sentence_starts)
        return replace(known, sentence=best, sample=None)
    likely = best_places(fuse(known, meaning=latin_share(question)), LIKELIEST)
    places = np.union1d(likely, beside).astype(np.intp)
    known.sentence[places] = closest_sentences(snapshot, places, vector)
    return replace(known, sample=sampled_sentences(snapshot, vector))


def _read_late(
    snapshot: Snapshot,
    late: Late,
    known: Signals,
    question: str,
    vector: NDArray[np.float32],
    beside: Sequence[int],
) -> Signals:
    """*known* of the windows, with the sentences of the likeliest papers and of those *beside*."""
    meaning = latin_share(question)
    if late.rough:
        known = _read_windows(snapshot, late, known, meaning, vector, beside)
    closest = best_places(fuse(known, meaning=meaning), read_closely(snapshot))
    places = np.union1d(closest, beside).astype(np.intp)
    known.sentence[places] = _closest("sentences", snapshot, late, places, vector)
    sample = np.array([(rows @ vector).max() for rows in late.sampled_sentences])
    return replace(known, sample=sample)


def _read_windows(
    snapshot: Snapshot,
    late: Late,
    known: Signals,
    meaning: float,
    vector: NDArray[np.float32],
    beside: Sequence[int],
) -> Signals:
    """*known* from rough vectors, with true ones of the likeliest papers and of those *beside*."""
    likely = best_places(fuse(known, meaning=meaning), READ_LATE)
    places = np.union1d(likely, beside).astype(np.intp)
    known.whole[places] = _closest("windows", snapshot, late, places, vector)
    return replace(
        known,
        read=places,
        whole_sample=np.array([(rows @ vector).max() for rows in late.sampled_windows]),
    )


def read_closely(snapshot: Snapshot) -> int:
    """Of how many papers the sentences are read for a question."""
    sparing = snapshot.late is not None and not snapshot.late.rough
    return READ_SPARINGLY if sparing else READ_CLOSELY


def _closest(
    kind: Kind,
    snapshot: Snapshot,
    late: Late,
    places: NDArray[np.intp],
    vector: NDArray[np.float32],
) -> list[float]:
    papers = [snapshot.papers[place] for place in places]
    return [float((rows @ vector).max()) for rows in late.vectors(kind, papers)]


def sampled_sentences(snapshot: Snapshot, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """As `closest_sentences`, of the first papers: a sample, since their ids are hashes."""
    starts = snapshot.sentence_starts[: SAMPLED + 1]
    rows = snapshot.sentences[: int(starts[-1])]
    return np.asarray(np.maximum.reduceat(rows @ vectors, starts[:-1], axis=0), dtype=np.float64)


def closest_sentences(
    snapshot: Snapshot, places: NDArray[np.intp], vectors: NDArray[np.float32]
) -> NDArray[np.float64]:
    """The cosine of each paper's closest sentence to *vectors*, (dim,) or (dim, n), at *places*.

    Float64 (places,) or (places, n).
    """
    out = np.zeros((len(places), *vectors.shape[1:]))
    ends = np.append(snapshot.sentence_starts[1:], len(snapshot.sentences))
    for begin in range(0, len(places), AT_ONCE):
        some = places[begin : begin + AT_ONCE]
        first = snapshot.sentence_starts[some]
        counts = ends[some] - first
        starts = np.concatenate([[0], counts.cumsum()[:-1]]).astype(np.intp)
        rows = np.repeat(first - starts, counts) + np.arange(counts.sum())
        cosines = snapshot.sentences[rows] @ vectors
        out[begin : begin + len(some)] = np.maximum.reduceat(cosines, starts, axis=0)
    return out


def _marked(snapshot: Snapshot, papers: Iterable[str]) -> NDArray[np.bool_]:
    """True at the places of *papers*, (papers,)."""
    marks = np.zeros(len(snapshot.papers), dtype=bool)
    marks[[snapshot.places[paper] for paper in papers if paper in snapshot.places]] = True
    return marks


def _spread(snapshot: Snapshot, found: Iterable[tuple[str, float]]) -> NDArray[np.float64]:
    """Scores by version as an array (papers,), 0 for the rest; dead versions fall away."""
    scores = np.zeros(len(snapshot.papers))
    for version, score in found:
        place = snapshot.by_version.get(version)
        if place is not None:
            scores[place] = score
    return scores


def _best_per_paper(scores: NDArray[np.float32], starts: NDArray[np.intp]) -> NDArray[np.float64]:
    if len(starts) == 0:
        return np.zeros(0)
    return np.maximum.reduceat(scores, starts).astype(np.float64)


def _hit(
    snapshot: Snapshot,
    signals: Signals,
    scores: NDArray[np.float64],
    place: int,
    rank: int,
    vector: NDArray[np.float32],
) -> Hit:
    near = rank <= read_closely(snapshot)
    cosines = sentence_vectors(snapshot, place) @ vector if near else np.zeros(0)
    best: tuple[tuple[Sentence, float], ...] = ()
    if len(cosines):
        sentences = sentences_of(snapshot, place)
        order = sorted(range(len(cosines)), key=lambda i: (-cosines[i], i))[:5]
        best = tuple((sentences[i], float(cosines[i])) for i in order)
    return Hit(
        paper=snapshot.papers[place],
        rank=rank,
        score=round(float(scores[place]), 6),
        lexical=float(signals.lexical[place]),
        whole=float(signals.whole[place]),
        best_sentence=float(np.nan_to_num(signals.sentence[place])),
        named=bool(signals.introduced[place] or signals.mentioned[place]),
        sentences=best,
    )


def named_papers(snapshot: Snapshot, question: str) -> NamedPapers:
    """Resolve the names in *question* against those of the collection."""
    marked = {key_of(word): word for word in marked_names(question)}
    owners = _owners(snapshot, question, marked)
    introduced_by = _quoted(snapshot, question)
    mentioned_by: set[str] = set()
    known: list[str] = []
    for surface, found in owners.items():
        known.append(surface)
        own = _introducing(snapshot, key_of(surface), found)
        everyone = {paper for _, paper, _ in found}
        if 0 < len(own) <= RARE_NAME:
            introduced_by |= own
        elif len(everyone) <= RARE_NAME:
            mentioned_by |= everyone
    held = {key_of(surface) for surface in owners}
    unknown = tuple(
        word
        for key, word in marked.items()
        if key not in held and not any(_stands(snapshot, form) for form in (word, word.rstrip("s")))
    )
    return NamedPapers(frozenset(introduced_by), frozenset(mentioned_by), tuple(known), unknown)


def introduced_names(snapshot: Snapshot, question: str) -> dict[str, frozenset[str]]:
    """The names in *question*, as it writes them, that a few papers introduce, with their ids."""
    marked = {key_of(word): word for word in marked_names(question)}
    found = {
        surface: frozenset(_introducing(snapshot, key_of(surface), owners))
        for surface, owners in _owners(snapshot, question, marked).items()
    }
    return {surface: papers for surface, papers in found.items() if 0 < len(papers) <= RARE_NAME}


def _owners(
    snapshot: Snapshot, question: str, marked: Mapping[str, str]
) -> dict[str, list[tuple[str, str, bool]]]:
    """By name of *question*, ordinary words left out: who has it, as in `Catalog.papers_named`."""
    asked = dict(asked_names(question))
    owners: dict[str, list[tuple[str, str, bool]]] = {}
    for key, surface, paper, introduced in snapshot.catalog.papers_named(sorted(asked)):
        owners.setdefault(key, []).append((surface, paper, introduced))
    return {
        asked[key]: found
        for key, found in owners.items()
        if not _is_ordinary(snapshot, key, asked[key], found, key in marked)
    }


def _introducing(snapshot: Snapshot, key: str, found: Sequence[tuple[str, str, bool]]) -> set[str]:
    """Papers that introduce the name of *key*; of these, those titled by it if there are any."""
    own = {paper for _, paper, introduced in found if introduced}
    return {paper for paper in own if _is_titled(snapshot, paper, key)} or own


def _is_titled(snapshot: Snapshot, paper: str, key: str) -> bool:
    """Whether the title of *paper* begins with the name of *key* and a colon."""
    place = snapshot.places.get(paper)
    if place is None:
        return False
    head, colon, _ = snapshot.papers[place].title.partition(":")
    return bool(colon) and key_of(head) == key


def _quoted(snapshot: Snapshot, question: str) -> set[str]:
    """Papers whose whole title stands in *question*."""
    asked = key_of(question)
    found = snapshot.lexical.search(query_terms(question), TITLE_HITS)
    papers = (snapshot.papers[snapshot.by_version[v]] for v, _ in found if v in snapshot.by_version)
    return {
        paper.id
        for paper in papers
        if len(paper.title.split()) >= TITLE_WORDS and key_of(paper.title) in asked
    }


def _is_ordinary(
    snapshot: Snapshot,
    key: str,
    asked: str,
    found: Sequence[tuple[str, str, bool]],
    marked: bool,
) -> bool:
    """Whether a name's letters are also a common word, and the question writes it as one."""
    if marked or " " in asked or any(surface == asked for surface, _, _ in found):
        return False
    frequency = snapshot.lexical.document_frequency(stem(asked.lower()))
    return frequency > max(ORDINARY, 2 * len({paper for _, paper, _ in found}))


def _stands(snapshot: Snapshot, word: str) -> bool:
    """Whether any abstract holds *word*, in whatever spelling."""
    terms = query_terms(word)
    first = next(iter(terms), "")
    return bool(first) and snapshot.lexical.document_frequency(first) > 0
