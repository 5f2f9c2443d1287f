"""Which papers the sides of a comparison are: by name, by title, by description.

A side is resolved by itself, against the whole collection, so that none crowds another out; a side
that no paper here is about stays open and keeps its name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag import sides
from rag.embed import is_word
from rag.names import is_name_like, is_owned, key_of, marked_names
from rag.retrieve import Library, introduced_names, read
from rag.text import fold
from rag.types import Hit, Paper
from rag.words import STOPWORDS, compounds, content_words

RETRIEVED = 20  # papers among which those described together are found
CANDIDATES = 10  # papers among which a description finds its own
MOST_WORDS = 8  # of a thing compared that is neither named nor described by an article
MOST_DESCRIBING = 25  # of one that is described
MOST_TITLES = 20_000  # among which a name that nobody has is looked for in another spelling
LIKE_AT_LEAST = 0.84  # likeness of two spellings of one name (Ratcliff and Obershelp, 1988)
DESCRIBED_AT_LEAST = 0.3  # cosine of a description to the paper it is taken for

_OWN_NAME = re.compile(
    r"\b(?:propos|introduc|present|develop|call|dub|nam)\w*[^.()]{0,90}\(([^()]{2,30})\)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One thing compared, where the question speaks of it, and the paper about it."""

    name: str
    start: int
    end: int
    place: int | None  # in the snapshot; None: no paper here is about it


# "NVIDIA's 'Efficient Large-Scale …' paper" speaks of the title, not of NVIDIA.
_POSSESSES = re.compile(r"['’]s\s+[\"'‘“]")


def within_one(library: Library, question: str, found: Sequence[Side]) -> bool:
    """Whether one abstract is asked how its own thing does against another's.

    That is so where nothing is set side by side outright, and all other sides that are here at all
    are spoken of in the first one's abstract.
    """
    spans = [(side.start, side.end) for side in found]
    if sides.compares_outright(question) or sides.set_beside(question, spans):
        return False
    here = [side for side in found if side.place is not None]
    if len(here) < 2 or (len(here) < len(found) and sides.has_yardstick(question)):
        return True
    texts = [key_of(library.snapshot.papers[side.place or 0].abstract) for side in here]
    return any(
        all(key_of(other.name) in text for other in here if other is not one)
        for one, text in zip(here, texts, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Mention:
    """A name or title in the question, with the papers it may mean."""

    start: int
    end: int
    papers: tuple[int, ...]  # places, likeliest first


def names_several(library: Library, question: str) -> bool:
    """Whether *question* names two papers or more: by names they own, or by quoted titles."""
    owned = {
        min(papers): span
        for name, papers in _owned(library, question).items()
        for span in _where(question, name)
        if _distinct(name, question)
    }
    quoted = [text for text in sides.quoted_in(question) if len(content_words(text)) > 1]
    titles = [(at, at + len(text)) for text in quoted for at in (question.find(text),)]
    spans = [*owned.values(), *titles]
    return len(spans) > 1 and sides.are_joined(question, spans)


def given(library: Library, subjects: Sequence[str]) -> tuple[Side, ...]:
    """The sides that a caller names one by one, titles, names or descriptions, each paper once."""
    found: list[Side] = []
    for subject in dict.fromkeys(fold(subject).strip() for subject in subjects):
        place = _resolved(library, subject, {side.place for side in found})
        if not _is_one_of(library, subject, place, found):
            found.append(Side(subject, 0, 0, place))
    return tuple(found)


def _is_one_of(library: Library, text: str, place: int | None, found: Sequence[Side]) -> bool:
    """Whether *text*, resolved to *place*, names again what a side of *found* already is."""
    if any(key_of(side.name) == key_of(text) for side in found):
        return True
    taken = {side.place for side in found} - {None}
    return place is None and _resolved(library, text, set()) in taken


def sides_of(library: Library, question: str, hits: Sequence[Hit]) -> tuple[Side, ...]:
    """The sides in the question's order: named ones, and those described or unknown beside them."""
    mentions = _mentions(library, question, hits)
    pieces = sides.cut(question, [(m.start, m.end) for m in mentions])
    found: list[Side] = []
    # A name that several papers have counts only if none of them is named more exactly.
    for mention in sorted(mentions, key=lambda m: (len(m.papers), m.start)):
        taken = {side.place for side in found}
        free = [place for place in mention.papers if place not in taken]
        if free and not (taken & set(mention.papers)):
            name = question[mention.start : mention.end].strip("'\"‘’“” ")
            found.append(Side(name, _owner(question, mention.start), mention.end, free[0]))
    _add(library, found, _beside(pieces, found) if found else _described(pieces))
    too = [sides.trimmed(piece) for piece in pieces if sides.asks_about(piece.text)]
    _add(library, found, [piece for piece in too if found and not _holds(piece, found)])
    if len(found) < 2:
        found = _described_together(library, question, hits) or found
    if len(found) < 2 and sides.compares_outright(question):
        _add(library, found, [piece for piece in _paired(pieces) if not _holds(piece, found)])
    return tuple(sorted(found, key=lambda side: side.start))


def _add(library: Library, found: list[Side], pieces: Sequence[sides.Piece]) -> None:
    """Add to *found* the sides that *pieces* are: of a paper, or a name that no paper has."""
    for piece in pieces:
        place = _resolved(library, piece.text, {side.place for side in found})
        known = place is not None or _is_name(piece.text)
        if known and not _is_one_of(library, piece.text, place, found):
            found.append(Side(piece.text, piece.start, piece.end, place))


def _owner(question: str, start: int) -> int:
    """Where what stands at *start* begins with whose it is: "NVIDIA's 'Efficient …'"."""
    owner = re.search(r"[\w.-]+['’]s\s+['\"‘“]?$", question[:start])
    return owner.start() if owner else start


def _mentions(library: Library, question: str, hits: Sequence[Hit]) -> list[_Mention]:
    """Names and titles in *question*, in order, none inside another."""
    found = [
        *_titles(library, question, hits),
        *(
            _Mention(start, end, _likeliest(library, surface, papers, hits))
            for surface, papers in _owned(library, question).items()
            if _distinct(surface, question)
            for start, end in _where(question, surface)
        ),
        *_led(library, question, hits),
    ]
    found = [mention for mention in found if not _POSSESSES.match(question, mention.end)]
    kept: list[_Mention] = []
    for mention in sorted(found, key=lambda m: (m.start - m.end, m.start)):
        if all(mention.end <= other.start or other.end <= mention.start for other in kept):
            kept.append(mention)
    return sorted(kept, key=lambda m: m.start)


def _led(library: Library, question: str, hits: Sequence[Hit]) -> Iterator[_Mention]:
    """Names in *question* that are no English words and begin a sentence of one paper's abstract.

    "Minitron models score 16% higher" speaks of its own, though nobody wrote "we call it Minitron".
    """
    for name in dict.fromkeys(_proper(question)):
        common = any(name.lower() in hit.paper.abstract for hit in hits)
        if len(name) < 4 or is_word(name.lower()) or common:
            continue
        begins = re.compile(rf"(?:^|[.!?]\s+){re.escape(name)}\b")
        led = [
            hit.paper.id
            for hit in hits
            if begins.search(hit.paper.abstract) or _short_for(name, hit.paper)
        ]
        if len(led) == 1:
            for start, end in _where(question, name):
                yield _Mention(start, end, (library.snapshot.places[led[0]],))


def _short_for(name: str, paper: Paper) -> bool:
    """Whether the abstract gives *name* in brackets, after a word with a capital of the title."""
    before, found, _ = paper.abstract.partition(f"({name}")
    capitals = {word for word in compounds(paper.title) if word[:1].isupper()}
    # Of what stands before only the end is read: an abstract may be long, and without a space.
    return bool(found) and any(word in capitals for word in compounds(before[-80:])[-4:])


def _owned(library: Library, text: str) -> dict[str, frozenset[str]]:
    """The names in *text* with the ids of the few papers that claim them as their own."""
    snapshot = library.snapshot

    def owns(name: str, paper: Paper) -> bool:
        return is_owned(name, paper.title, paper.abstract)

    found = {
        name: frozenset(i for i in papers if owns(name, snapshot.papers[snapshot.places[i]]))
        for name, papers in introduced_names(snapshot, text).items()
    }
    return {name: papers for name, papers in found.items() if papers}


def _where(question: str, surface: str) -> Iterator[tuple[int, int]]:
    """The first span of *question* that is *surface* in any spacing, in its own case if it can."""
    words = r"[\s,-]*".join(map(re.escape, surface.split()))
    # A letter of another script may touch a name: Chinese puts no spaces between words.
    bounds = (
        rf"(?<![A-Za-z0-9-]){words}(?![A-Za-z0-9+#])(?!-[A-Za-z0-9])",
        rf"(?<![A-Za-z0-9]){words}(?![A-Za-z0-9])",
    )
    tries = ((bound, flag) for bound in bounds for flag in (re.NOFLAG, re.IGNORECASE))
    found = next(filter(None, (re.search(bound, question, flag) for bound, flag in tries)), None)
    if found:
        yield found.span()


def _distinct(surface: str, question: str) -> bool:
    """Whether *surface*, as *question* writes it, can be told from a common word.

    In a question that writes names with capitals, an English word without one is no name.
    """
    if surface.lower() in _UNNAMING:
        return False
    if is_name_like(surface) or (surface[:1].isupper() and len(surface) > 3):
        return True
    plain = all(is_word(word) for word in surface.lower().split())
    return len(surface) > 3 and not (plain and marked_names(question))


def _likeliest(
    library: Library, surface: str, papers: frozenset[str], hits: Sequence[Hit]
) -> tuple[int, ...]:
    """Places of *papers*: whose title has the name first, then who says "we propose … (S4)"."""
    ranks = {hit.paper.id: hit.rank for hit in hits}
    snapshot, key = library.snapshot, key_of(surface)
    places = [snapshot.places[paper] for paper in papers]

    def order(place: int) -> tuple[bool, bool, int, str]:
        paper = snapshot.papers[place]
        own = any(key_of(name) == key for name in _OWN_NAME.findall(fold(paper.abstract)))
        titled = key in [key_of(word) for word in compounds(paper.title)]
        return not titled, not own, ranks.get(paper.id, 1000), paper.id

    return tuple(sorted(places, key=order))


def _titles(library: Library, question: str, hits: Sequence[Hit]) -> Iterator[_Mention]:
    """Titles that stand in *question*: parts of them in quotes, or their first words bare."""
    for quoted in sides.quoted_in(question):
        start = question.find(quoted)
        papers = _titled(library, quoted, hits)
        if papers:
            yield _Mention(start, start + len(quoted), papers)
    asked = [(m.start(), m.end()) for m in re.finditer(r"[^\s,.;:?!()\"'‘’“”]+", question)]
    for place in (library.snapshot.places[hit.paper.id] for hit in hits):
        yield from _opening(library, question, asked, place)


def _titled(library: Library, fragment: str, hits: Sequence[Hit]) -> tuple[int, ...]:
    """Places of papers whose title holds every word of *fragment*, the likeliest first."""
    wanted = content_words(fragment)
    if not wanted:
        return ()
    near = [*hits, *read(library.snapshot, library.embedder, fragment, CANDIDATES).hits]
    fits = [hit for hit in near if wanted <= content_words(hit.paper.title)]
    return tuple(dict.fromkeys(library.snapshot.places[hit.paper.id] for hit in fits))


def _opening(
    library: Library, question: str, words: Sequence[tuple[int, int]], place: int
) -> Iterator[_Mention]:
    """The longest run of *question* that opens the title at *place*, of two words of content."""
    title = [
        key_of(word) for word in re.findall(r"[^\s:,.;?!()]+", fold(_paper_title(library, place)))
    ]
    best: tuple[int, int] | None = None
    for first in range(len(words)):
        length = 0
        while (
            first + length < len(words)
            and length < len(title)
            and key_of(question[slice(*words[first + length])]) == title[length] != ""
        ):
            length += 1
        start, end = words[first][0], words[first + length - 1][1] if length else 0
        tells = length >= 2 and len(content_words(question[start:end])) >= 2
        tells = tells and not _goes_before(question[slice(*words[first - 1])] if first else "")
        if tells and (best is None or end - start > best[1] - best[0]):
            best = (start, end)
    if best:
        yield _Mention(*best, (place,))


def _goes_before(word: str) -> bool:
    """Whether *word* belongs with what follows: "knowledge capacity scaling laws" is no title."""
    return word.islower() and bool(content_words(word)) and not sides.is_of_a_kind(word)


def _paper_title(library: Library, place: int) -> str:
    return library.snapshot.papers[place].title


def _beside(pieces: Sequence[sides.Piece], found: Sequence[Side]) -> list[sides.Piece]:
    """Pieces that hold no side found yet and are joined to one that does, trimmed."""
    kinds = [_holds(piece, found) for piece in pieces]
    wanted: set[int] = set()
    changed = True
    while changed:
        changed = False
        for i, piece in enumerate(pieces):
            if kinds[i] or i in wanted:
                continue
            before = bool(piece.joined) and i > 0 and (kinds[i - 1] or i - 1 in wanted)
            joined_next = pieces[i + 1].joined if i + 1 < len(pieces) else ""
            after = bool(joined_next) and (kinds[i + 1] or i + 1 in wanted)
            strong = sides.is_strong(piece.joined) or sides.is_strong(joined_next)
            most = 12 if sides.is_called_for(piece.joined) else 2 if strong else 0
            if before and _ends_sides(pieces[i - 1], found, most):
                before = False
            if sides.asks_on(piece) or sides.says_changed(piece.text):
                continue
            if (before or after) and _may_be_side(sides.trimmed(piece), strong=strong):
                wanted.add(i)
                changed = True
    return [sides.trimmed(pieces[i]) for i in sorted(wanted)]


def _described(pieces: Sequence[sides.Piece]) -> list[sides.Piece]:
    """The first two pieces or more that are joined and all describe something, trimmed."""
    run: list[sides.Piece] = []
    for piece in map(sides.trimmed, pieces):
        described = sides.is_described(piece.text) and sides.is_of_a_kind(piece.text)
        if run and (not piece.joined or not described):
            if len(run) > 1:
                break
            run = []
        if described:
            run.append(piece)
    return run if len(run) > 1 else []


def _paired(pieces: Sequence[sides.Piece]) -> list[sides.Piece]:
    """The first joined pieces of a clause that says "compare", "differ" or "versus", trimmed."""
    runs: list[list[sides.Piece]] = []
    for piece in pieces:
        if not piece.joined or not runs:
            runs.append([])
        runs[-1].append(piece)
    for run in runs:
        versus = any(sides.is_strong(piece.joined) for piece in run[1:])
        told = versus or any(sides.says_compare(piece.text) for piece in run)
        things = [t for t in map(sides.trimmed, run) if _may_be_thing(t.text, versus=versus)]
        if told and len(things) > 1:
            return things
    return []


def _may_be_thing(text: str, *, versus: bool) -> bool:
    """Whether *text* is short enough to name a thing, or describes one of the kinds papers have."""
    count = len(compounds(text))
    if sides.is_described(text):
        return count <= MOST_DESCRIBING and (versus or sides.is_of_a_kind(text))
    return 0 < count <= MOST_WORDS and (not versus or _is_name(text))


def _holds(piece: sides.Piece, found: Sequence[Side]) -> bool:
    return any(piece.start <= side.start < piece.end for side in found)


def _ends_sides(piece: sides.Piece, found: Sequence[Side], most: int) -> bool:
    """Whether more than *most* words follow the side of *piece*, so that no other side can."""
    ends = [side.end for side in found if piece.start <= side.start < piece.end]
    end = max(ends) if ends else sides.trimmed(piece).end
    rest = sides.without_kind(piece.text[max(0, end - piece.start) :])
    return len(compounds(re.sub(r"\([^)]*\)", " ", rest))) > most


def _may_be_side(piece: sides.Piece, *, strong: bool) -> bool:
    words = compounds(piece.text)
    if not words or len(words) > MOST_DESCRIBING:
        return False
    return sides.is_described(piece.text) or _is_name(piece.text) or (strong and len(words) <= 4)


def _is_name(text: str) -> bool:
    """Whether *text* is written as a name, or holds one: "GPTQ", "the Chinchilla scaling law"."""
    return bool(_proper(text))


# Written in capitals, and no thing's name.
_UNNAMING = frozenset(
    "gpu gpus cpu cpus tpu llm llms lm lms ai ml nlp kb mb gb tb api apis hpc rl rag fl".split()
)


def _proper(text: str) -> list[str]:
    """Words of *text* that are written as names or with a capital."""
    return [
        w
        for w in compounds(text)
        if (is_name_like(w) or (w[:1].isupper() and w.lower() not in STOPWORDS))
        and w.lower() not in _UNNAMING
    ]


def _resolved(library: Library, text: str, taken: set[int | None]) -> int | None:
    """The place of the paper that *text* names or describes, none of *taken*, if there is one."""
    snapshot = library.snapshot
    own = _owned(library, text)
    hits = read(snapshot, library.embedder, text, CANDIDATES).hits
    titled = _titled(library, text, hits)
    named = (_likeliest(library, name, papers, hits) for name, papers in own.items())
    for places in (titled, *named):
        free = [place for place in places if place not in taken]
        if free:
            return free[0]
    if only_name(text) or len(compounds(text)) == 1:
        owners = [hit for hit in hits if is_owned(text, hit.paper.title, hit.paper.abstract)]
        known = [snapshot.places[hit.paper.id] for hit in owners] or _misspelt(library, text)
        return next((place for place in known if place not in taken), None)
    for hit in hits:
        place = snapshot.places[hit.paper.id]
        if place not in taken:
            told = sides.is_described(text) or _covers(hit, text)
            near = hit.whole >= DESCRIBED_AT_LEAST and _bears(hit, text)
            return place if told and near else None
    return None


def _misspelt(library: Library, name: str) -> list[int]:
    """The paper whose title is headed by a name spelt almost like *name*, alike in its digits."""
    papers, wanted = library.snapshot.papers, key_of(name)
    if len(wanted) < 5 or len(papers) > MOST_TITLES:
        return []
    heads = {key_of(paper.title.partition(":")[0]): place for place, paper in enumerate(papers)}
    like = difflib.get_close_matches(wanted, heads, n=1, cutoff=LIKE_AT_LEAST)
    return [heads[head] for head in like if _digits(head) == _digits(wanted)]


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _bears(hit: Hit, text: str) -> bool:
    """Whether the paper holds the name that *text* has, or half of several."""
    held = key_of(f"{hit.paper.title} {hit.paper.abstract}")
    parts = [part for name in _proper(text) for part in name.split("-") if part[:1].isupper()]
    known = sum(key_of(part) in held for part in parts)
    return known == len(parts) or (len(parts) > 1 and known >= len(parts) / 2)


def only_name(text: str) -> bool:
    """Whether *text* is nothing but a name, which only a paper that claims it can be."""
    return len(_proper(text)) == len(compounds(text))


def _covers(hit: Hit, text: str) -> bool:
    held = content_words(f"{hit.paper.title} {hit.paper.abstract}")
    return content_words(text) <= held


def _described_together(library: Library, question: str, hits: Sequence[Hit]) -> list[Side]:
    """The sides of "two papers on checkpointing": the papers closest to the description.

    What else is asked says something of them too, so that both searches count.
    """
    several = sides.several_in(question)
    if several is None:
        return _one_and_another(library, question)
    described = read(library.snapshot, library.embedder, several.description, RETRIEVED).hits
    scores: dict[str, float] = {}
    for hit in (*hits, *described):
        scores[hit.paper.id] = scores.get(hit.paper.id, 0.0) + hit.score
    papers = {hit.paper.id: hit.paper for hit in (*hits, *described)}
    best = sorted(papers, key=lambda paper: (-scores[paper], paper))[: several.count]
    return [
        Side(_short(papers[paper].title), n, n, library.snapshot.places[paper])
        for n, paper in enumerate(best)
    ]


def _one_and_another(library: Library, question: str) -> list[Side]:
    """The sides of "one paper stacks layers, another adds pairs", each found by its own words."""
    found: list[Side] = []
    for number, description in enumerate(sides.one_and_another(question)):
        hits = read(library.snapshot, library.embedder, description, CANDIDATES).hits
        places = [library.snapshot.places[hit.paper.id] for hit in hits]
        free = [place for place in places if place not in {side.place for side in found}]
        if free:
            title = library.snapshot.papers[free[0]].title
            found.append(Side(_short(title), number, number, free[0]))
    return found


def _short(title: str) -> str:
    head, colon, _ = title.partition(":")
    return head if colon and len(head) > 1 else title
