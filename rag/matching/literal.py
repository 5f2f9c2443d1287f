"""Papers that hold words or names literally, and by which sentence.

The lexical index tells which papers could hold them, so that of a large collection only those are
read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.listing.closeness import stand_close
from rag.listing.criteria import Words
from rag.listing.formulas import plain_formulas
from rag.listing.terms import How, acronym_of, canonical, find_any, is_name, spelled_out, words_of
from rag.retrieve import sentences_of
from rag.text import fold
from rag.words import STOPWORDS, document_terms, stem

if TYPE_CHECKING:
    from rag.store import Snapshot

FEW = 2000  # papers that are read one by one rather than looked up
SURE = 0.8  # share of an acronym's brackets that must spell it out the same way


@dataclass(frozen=True, slots=True)
class Match:
    """How a paper meets a criterion."""

    strength: float  # larger is better; only comparable within one criterion
    sentences: Mapping[int, float] = field(default_factory=dict)  # number to how well it shows it
    near: bool = False  # a near miss: offered, and not counted


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    if text.isascii() and not _TEX.search(text):  # most abstracts: nothing else to fold in them
        return text.replace("`", "'")
    return plain_formulas(fold(_LATEX_ACCENT.sub(r"\1", text)))


_TEX = re.compile(r"[\\$^{]")
_LATEX_ACCENT = re.compile(r"\\['`^\"~=.]\{?([A-Za-z])\}?")  # Pok\'emon


def title_of(snapshot: Snapshot, place: int) -> str:
    """The folded title of the paper at *place*."""
    return _folded(snapshot.papers[place].title)


def abstract_of(snapshot: Snapshot, place: int) -> str:
    """Its folded abstract."""
    return _folded(snapshot.papers[place].abstract)


def sentences_in(snapshot: Snapshot, place: int) -> list[tuple[int, str]]:
    """The sentences of its abstract, folded, by number."""
    return [(s.number, _folded(s.text)) for s in sentences_of(snapshot, place)]


_OWN = re.compile(
    r"\b(?:we|our|ours|this (?:paper|work|study|thesis|survey|article|report)|in this|is proposed"
    r"|are proposed"
    r"|experiments?|experimental|evaluations?|results? (?:show|demonstrate|indicate|suggest)"
    r"|achiev\w+"
    r"|outperform\w*|surpass\w*|improv\w+ (?:of|by|over)|resulting in|respectively)\b|\d\s?\\?%",
    re.IGNORECASE,
)
_PASSING = re.compile(
    r"\b(?:such as|like|including|unlike|inspired by|e\.?g\.?|existing|recent(?:ly)?|popular"
    r"|emerge\w*"
    r"|have (?:shown|demonstrated|achieved|become|been)|has (?:shown|demonstrated|achieved|become"
    r"|been)"
    r"|with the (?:rise|advent|success|advances?))\b",
    re.IGNORECASE,
)


def tells_own(text: str) -> bool:
    """Whether a folded sentence tells of the paper's own work.

    >>> tells_own("We train on ImageNet."), tells_own("LLMs such as GPT-3 are popular.")
    (True, False)
    """
    return bool(_OWN.search(text))


def holding(snapshot: Snapshot, words: Words, among: Collection[int]) -> dict[int, Match]:
    """The places *among* whose papers hold *words*; near are those that name it in passing."""
    forms: list[str] = []
    for spellings in words.alternatives:
        tried = next((s for s in spellings if _any_holds(snapshot, s, words, among)), spellings[0])
        forms.append(tried)
    if not words.exact:
        forms.extend(other_names(snapshot, forms, among))
    found: dict[int, Match] = {}
    for place in candidates(snapshot, forms, among):
        match = _held(snapshot, place, forms, words)
        if match:
            found[place] = match
    return found


def _any_holds(snapshot: Snapshot, form: str, words: Words, among: Collection[int]) -> bool:
    return any(
        _held(snapshot, place, [form], words) for place in candidates(snapshot, [form], among)
    )


def _held(snapshot: Snapshot, place: int, forms: Sequence[str], words: Words) -> Match | None:
    """How the paper at *place* holds *forms*, if it does where it must."""
    how: How = "exact" if words.exact else "inflected"
    title = find_any(forms, title_of(snapshot, place), words.masks, how)
    if words.at_start:
        return _beginning(snapshot, place, forms, words)
    if words.where == "title":
        return Match(2.0) if title else None
    loose = [form for form in forms if words.used and not words.exact and _is_loose(form)]
    abstract = abstract_of(snapshot, place)
    if not (
        find_any(forms, abstract, words.masks, how)
        or title
        or any(_near(f, abstract) for f in loose)
    ):
        return None
    shown: dict[int, float] = {}
    passing: list[int] = []
    for number, text in sentences_in(snapshot, place):
        spans = find_any(forms, text, words.masks, how)
        if not spans and not any(_near(form, text) for form in loose):
            continue
        own = tells_own(text)
        if words.used and not own and _PASSING.search(text):
            passing.append(number)
        shown[number] = 1.0 + 0.5 * own + 0.1 * min(len(spans), 3)
    if not (shown or title):
        return None
    near = words.used and bool(passing) and not title and set(passing) == set(shown)
    return Match(2.0 * bool(title) + float(len(shown)), shown, near)


def _beginning(snapshot: Snapshot, place: int, forms: Sequence[str], words: Words) -> Match | None:
    text = (title_of if words.where == "title" else abstract_of)(snapshot, place)
    text = _BEFORE_FIRST_WORD.sub("", text)
    found = any(start == 0 for start, _ in find_any(forms, text, words.masks, "exact"))
    return Match(1.0, {0: 1.0} if words.where == "any" else {}) if found else None


_BEFORE_FIRST_WORD = re.compile(r"^[^\w]+")


def _is_loose(form: str) -> bool:
    """Whether *form* is a phrase that may be said in another order: "evaluated by humans"."""
    return not is_name(form) and len(words_of(form)) > 1 and form == form.lower()


def _near(form: str, text: str) -> bool:
    """Whether the words of *form* stand near each other in *text*, in any order."""
    return stand_close([(canonical(word),) for word in words_of(form)], text)


def candidates(snapshot: Snapshot, forms: Sequence[str], among: Collection[int]) -> Iterator[int]:
    """The places that could hold one of *forms*, in order; all of a small collection."""
    if len(among) <= FEW:
        yield from among
        return
    versions: set[str] = set()
    for form in forms:
        for groups in term_groups(form):
            versions |= snapshot.lexical.holding(groups)
    places = {snapshot.by_version[v] for v in versions if v in snapshot.by_version}
    yield from sorted(places if len(among) == len(snapshot.papers) else places & set(among))


def with_words(snapshot: Snapshot, needs: Sequence[str], among: Collection[int]) -> Iterator[int]:
    """The places whose paper may hold a word that begins like one of *needs*, in order."""
    if len(among) <= FEW:
        for place in among:
            text = f"{title_of(snapshot, place)} {abstract_of(snapshot, place)}".lower()
            if any(letters in text for letters in needs):
                yield place
        return
    versions = snapshot.lexical.holding([{stem(word) for word in needs}])
    places = {snapshot.by_version[v] for v in versions if v in snapshot.by_version}
    yield from sorted(places if len(among) == len(snapshot.papers) else places & set(among))


def term_groups(form: str) -> list[list[set[str]]]:
    """Ways in which the lexical index may hold *form*: of each group some term must be there.

    >>> term_groups("fine-tuning")
    [[{'finetun'}], [{'fine'}, {'tune'}]]
    """
    parts = [part for word in words_of(form) for part in _letters_and_digits(word)]
    apart = [_spelled(part) for part in parts if part.lower() not in STOPWORDS]
    joined = "".join(parts).lower()
    ways = [[_spelled(joined)], apart]
    if is_name(form) and joined[-1:].isalpha() and len(joined) > 2:
        ways = [[_spelled(joined) | {f"{joined}*", f"{joined}+"}], apart]
    return [way for place, way in enumerate(ways) if way and way not in ways[:place]]


def _letters_and_digits(word: str) -> list[str]:
    split = re.fullmatch(r"([^\W\d_]{2,})(\d+(?:\.\d+)*)", word)
    return [split[1], split[2]] if split else [word]


def _spelled(word: str) -> set[str]:
    """The index's terms for *word*, in British and in American spelling."""
    lower = word.lower()
    british = re.sub(r"iz(?=e|ing|ation|er)", "is", lower)
    american = re.sub(r"is(?=e[ds]?$|ing$|ation|er)", "iz", lower)
    terms = {stem(lower), stem(british), stem(american), canonical(lower)}
    return terms | set(document_terms(word)[:1])


def other_names(snapshot: Snapshot, forms: Sequence[str], among: Collection[int]) -> list[str]:
    """Acronyms of *forms* and what acronyms among them stand for, where the collection is sure."""
    found: list[str] = []
    for form in (re.sub(r"(?<=[A-Z]{2})s$", "", each) for each in forms):  # LLMs
        said: Counter[str] = Counter()
        short = _ACRONYM.fullmatch(form) is not None
        if not short and (is_name(form) or len(words_of(form)) < 2):
            continue
        for place in candidates(snapshot, [form], among):
            text = abstract_of(snapshot, place)
            said.update(spelled_out(form, text) if short else acronym_of(form, text))
        found.extend(_agreed(said) if short else _meaning_only(snapshot, form, said, among))
    return [name for name in dict.fromkeys(found) if name not in forms]


_ACRONYM = re.compile(r"[A-Z][A-Za-z]{0,6}[A-Z]")


def _agreed(said: Counter[str]) -> list[str]:
    """The one thing that an acronym stands for, if nearly all agree."""
    same: Counter[str] = Counter()
    for phrase, count in said.items():
        same[" ".join(map(canonical, words_of(phrase)))] += count
    if not same:
        return []
    stems, count = same.most_common(1)[0]
    if count < SURE * same.total():
        return []
    return [p for p in said if " ".join(map(canonical, words_of(p))) == stems][:1]


def _meaning_only(
    snapshot: Snapshot, phrase: str, said: Counter[str], among: Collection[int]
) -> list[str]:
    """The acronyms in *said* that stand for *phrase* wherever they are spelled out."""
    stems = [canonical(word) for word in words_of(phrase)]
    sure: list[str] = []
    for acronym in sorted(said):
        meant: Counter[str] = Counter()
        for place in candidates(snapshot, [acronym], among):
            meant.update(spelled_out(acronym, abstract_of(snapshot, place)))
        same = sum(n for p, n in meant.items() if [canonical(w) for w in words_of(p)] == stems)
        if same >= SURE * meant.total():
            sure.append(acronym)
    return sure
