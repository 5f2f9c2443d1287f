"""Which papers of a collection meet a criterion, and by which sentence.

Literal words ask the lexical index for the papers that could hold them, so that only those are
read; the other criteria look at every paper, first for the words that they cannot do without.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from rag import topics
from rag.criteria import Amount, Brings, Clause, Criterion, IsKind, Topic, Words
from rag.kinds import KINDS, brings, needles
from rag.names import is_name_like
from rag.quantities import Quantity, quantities
from rag.retrieve import sentences_of
from rag.terms import acronym_of, canonical, find, find_any, is_name, spelled_out, words_of
from rag.text import fold
from rag.types import Embedder
from rag.words import STOPWORDS, compounds, document_terms, stem

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.store import Snapshot

FEW = 2000  # papers that are read one by one rather than looked up
MOST_READ_FOR_TOPIC = 4000  # papers whose words are read for a topic, the likeliest first
BESIDE = 90  # characters
REACH = 3  # words between those of a phrase that may stand apart
SURE = 0.8  # share of an acronym's brackets that must spell it out the same way


@dataclass(frozen=True, slots=True)
class Match:
    """How a paper meets a criterion."""

    strength: float  # larger is better; only comparable within one criterion
    sentences: Mapping[int, float] = field(default_factory=dict)  # number to how well it shows it
    near: bool = False  # a near miss: offered, and not counted


@dataclass(frozen=True, slots=True)
class Collected:
    """A collection to decide on, with what reads topics."""

    snapshot: Snapshot
    embedder: Embedder

    def places(self) -> range:
        """All places of papers."""
        return range(len(self.snapshot.papers))


@lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return fold(_LATEX_ACCENT.sub(r"\1", text))


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


def meeting(
    collected: Collected, clause: Clause, among: Collection[int], cut: float = topics.CUT
) -> dict[int, Match]:
    """The places *among* which meet any criterion of *clause* (its negation aside).

    *cut* is the probability from which a paper is about a topic.
    """
    found: dict[int, Match] = {}
    for criterion in clause.any_of:
        for place, match in _meeting(collected, criterion, among, cut).items():
            before = found.get(place)
            found[place] = match if before is None else _better(before, match)
    return found


def _better(one: Match, other: Match) -> Match:
    if one.near != other.near:
        return other if one.near else one
    sentences = dict(one.sentences)
    for number, value in other.sentences.items():
        sentences[number] = max(value, sentences.get(number, 0.0))
    return Match(max(one.strength, other.strength), sentences, one.near)


def _meeting(
    collected: Collected, criterion: Criterion, among: Collection[int], cut: float
) -> dict[int, Match]:
    match criterion:
        case Words():
            return _holding(collected.snapshot, criterion, among)
        case Amount():
            return _stating(collected.snapshot, criterion, among)
        case IsKind():
            return _of_kind(collected.snapshot, criterion, among)
        case Brings():
            return _bringing(collected.snapshot, criterion, among)
        case Topic():
            return _about(collected, criterion, among, cut)


# --- literal words -------------------------------------------------------------------------------


def _holding(snapshot: Snapshot, words: Words, among: Collection[int]) -> dict[int, Match]:
    forms: list[str] = []
    for spellings in words.alternatives:
        tried = next((s for s in spellings if _any_holds(snapshot, s, words, among)), spellings[0])
        forms.append(tried)
    if not words.exact:
        forms.extend(_other_names(snapshot, forms, among))
    found: dict[int, Match] = {}
    for place in _candidates(snapshot, forms, among):
        match = _held(snapshot, place, forms, words)
        if match:
            found[place] = match
    return found


def _any_holds(snapshot: Snapshot, form: str, words: Words, among: Collection[int]) -> bool:
    return any(
        _held(snapshot, place, [form], words) for place in _candidates(snapshot, [form], among)
    )


def _held(snapshot: Snapshot, place: int, forms: Sequence[str], words: Words) -> Match | None:
    """How the paper at *place* holds *forms*, if it does where it must."""
    title = find_any(forms, title_of(snapshot, place), words.masks, exact=words.exact)
    if words.where == "title":
        return Match(2.0) if title else None
    loose = [form for form in forms if words.used and not words.exact and _is_loose(form)]
    abstract = abstract_of(snapshot, place)
    if not (
        find_any(forms, abstract, words.masks, exact=words.exact)
        or title
        or any(_near(f, abstract) for f in loose)
    ):
        return None
    shown: dict[int, float] = {}
    passing: list[int] = []
    for number, text in sentences_in(snapshot, place):
        spans = find_any(forms, text, words.masks, exact=words.exact)
        if not spans and not any(_near(form, text) for form in loose):
            continue
        own = tells_own(text)
        if words.used and not own and _PASSING.search(text):
            passing.append(number)
        shown[number] = 1.0 + 0.5 * own + 0.1 * min(len(spans), 3)
    if words.where == "abstract" and not shown:
        return None
    if not (shown or title):
        return None
    near = words.used and bool(passing) and not title and set(passing) == set(shown)
    return Match(2.0 * bool(title) + float(len(shown)), shown, near)


def _is_loose(form: str) -> bool:
    """Whether *form* is a phrase that may be said in another order: "evaluated by humans"."""
    return not is_name(form) and len(words_of(form)) > 1 and form == form.lower()


def _near(form: str, text: str) -> bool:
    """Whether the words of *form* stand near each other in *text*, in any order."""
    return stand_close([(canonical(word),) for word in words_of(form)], text)


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


def _candidates(snapshot: Snapshot, forms: Sequence[str], among: Collection[int]) -> Iterator[int]:
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


def _with_words(snapshot: Snapshot, needs: Sequence[str], among: Collection[int]) -> Iterator[int]:
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
        ways = [[_spelled(joined) | {f"{joined}*"}], apart]
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


def _other_names(snapshot: Snapshot, forms: Sequence[str], among: Collection[int]) -> list[str]:
    """Acronyms of *forms* and what acronyms among them stand for, where the collection is sure."""
    found: list[str] = []
    for form in forms:
        said: Counter[str] = Counter()
        short = _ACRONYM.fullmatch(form) is not None
        if not short and (is_name(form) or len(words_of(form)) < 2):
            continue
        for place in _candidates(snapshot, [form], among):
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
        for place in _candidates(snapshot, [acronym], among):
            meant.update(spelled_out(acronym, abstract_of(snapshot, place)))
        same = sum(n for p, n in meant.items() if [canonical(w) for w in words_of(p)] == stems)
        if same >= SURE * meant.total():
            sure.append(acronym)
    return sure


# --- amounts -------------------------------------------------------------------------------------

_NEEDED = {
    "accelerators": r"GPU|TPU|NPU|GCD|accelerator|[AHV]\d00|chip|card",
    "parameters": r"\d ?[MBT]\b|illion|param",
    "tokens": r"token",
    "money": r"\$|USD|dollar|cents?\b|euro|budget of|K budget|cost of",
    "percent": r"%|percent",
    "context": r"\d ?[KkM]\b|token|context|sequence",
    "speed": r"\d ?(?:x|times)\b|fold|magnitude|factor",
    "factor": r"\d ?(?:x|times)\b|fold|magnitude|factor",
    "time": r"hour|day|minute|second|week",
    "count": r"\d|hundred|thousand|million",
}
_NEEDED_WORDS: dict[str, tuple[str, ...]] = {  # where the measure is always said in words
    "tokens": ("token", "tokens"),
    "accelerators": ("gpu", "tpu", "npu", "accelerator", "chip", "card", "a100", "h100", "v100", "gcd"),
    "time": ("hour", "day", "minute", "second", "week"),
}
_USUAL = re.compile(
    r"\b(?:typical(?:ly)?|usual(?:ly)?|often|require[sd]?|requiring|needs?|would|future|expected "
    r"to|predict\w*|project(?:s|ed|ion)"
    r"|prohibitive\w*|can take|may take|up to thousands|current|existing|most)\b",
    re.IGNORECASE,
)
_DOES = re.compile(r"\b(?:we|our)\b", re.IGNORECASE)
_FORESEES = re.compile(
    r"\b(?:predict\w*|project(?:s|ed|ion)|extrapolat\w*|expected to|future)\b", re.IGNORECASE
)
_TRAINS = re.compile(r"\btrain|\btuned|\btuning", re.IGNORECASE)
_COMPARED = re.compile(
    r"\b(?:outperform\w*|surpass\w*|exceed(?:s|ing)|beat\w*|compar\w+ (?:to|with)|than|versus|vs"
    r"|against|such as|larger|rather than"
    r"|match(?:es|ing)?|those with)\b[^,;]*$",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"(?:\b(?:over|more than|above|exceeding|beyond|greater than)|>)\s*(?:a |an )?$", re.IGNORECASE
)
_UNDER = re.compile(
    r"(?:\b(?:under|less than|below|fewer than|smaller than)|<)\s*(?:a |an )?$", re.IGNORECASE
)


def _stating(snapshot: Snapshot, amount: Amount, among: Collection[int]) -> dict[int, Match]:
    needed = re.compile(_NEEDED[amount.measure], re.IGNORECASE)
    words = _NEEDED_WORDS.get(amount.measure)
    found: dict[int, Match] = {}
    for place in _with_words(snapshot, words, among) if words else among:
        title = title_of(snapshot, place)
        if not (needed.search(abstract_of(snapshot, place)) or needed.search(title)):
            continue
        shown = {
            number: 1.0 + 0.5 * tells_own(text)
            for number, text in sentences_in(snapshot, place)
            if needed.search(text) and states(amount, text, title)
        }
        titled = bool(needed.search(title)) and states(amount, title, title)
        if titled and not shown and amount.own:  # a title names what its abstract only foresees
            anyone = replace(amount, own=False, training=False)
            titled = not any(
                states(anyone, text, title) for _, text in sentences_in(snapshot, place)
            )
        if shown or titled:
            found[place] = Match(2.0 * titled + len(shown), shown)
    return found


def states(amount: Amount, text: str, title: str) -> bool:
    """Whether folded *text*, a sentence or the *title* itself, states *amount*.

    >>> states(Amount("tokens", low=1e12, above=True), "We train on over 1T tokens.", "")
    True
    >>> states(Amount("accelerators", low=1000), "This typically requires 2,000 GPUs.", "")
    False
    """
    if amount.own and _USUAL.search(text) and not _DOES.search(text):
        return False
    if amount.own and text != title and _FORESEES.search(text):
        return False
    if amount.training and not _TRAINS.search(text):
        return False
    return any(
        _within(amount, quantity, text)
        and (not amount.about or _speaks_of(amount, _beside(quantity, text)))
        and not (
            amount.own and amount.measure == "parameters" and _of_others(quantity, text, title)
        )
        for quantity in quantities(text)
        if _measures(amount, quantity)
    )


def _beside(quantity: Quantity, text: str) -> str:
    """What stands near *quantity*: a percentage is of what is told right before or behind it."""
    return text[max(0, quantity.start - BESIDE) : quantity.end + BESIDE]


def _measures(amount: Amount, quantity: Quantity) -> bool:
    if amount.measure == "count":
        return quantity.kind == "count" and bool(
            set(amount.about) & {canonical(n) for n in quantity.nouns}
            or set(amount.about) & set(quantity.nouns)
        )
    if amount.measure == "time":
        return quantity.kind == "time" and set(amount.about) <= set(quantity.nouns)
    return quantity.kind == amount.measure


def _speaks_of(amount: Amount, text: str) -> bool:
    if amount.measure in {"count", "time"}:
        return True  # the noun stands at the number
    return set(amount.about) <= set(map(canonical, words_of(text)))


def _within(amount: Amount, quantity: Quantity, text: str) -> bool:
    """Whether *quantity* reaches into the bounds; "over 1T" is more than 1T."""
    before = text[max(0, quantity.start - 16) : quantity.start]
    after = text[quantity.end : quantity.end + 1] + text[quantity.start : quantity.end]
    high = quantity.high * (1.000001 if _OVER.search(before) or "+" in after else 1.0)
    low = quantity.low * (0.999999 if _UNDER.search(before) else 1.0)
    if quantity.vague and amount.high < float("inf"):
        return False  # "billion-parameter models" may have any number of billions
    enough = high > amount.low if amount.above else high >= amount.low
    small = low < amount.high if amount.below else low <= amount.high
    return enough and small


def _of_others(quantity: Quantity, text: str, title: str) -> bool:
    """Whether a model's size is that of a model which the paper only compares itself with."""
    if _COMPARED.search(text[max(0, quantity.start - 70) : quantity.start]):
        return True
    if not quantity.named:
        return False
    around = text[max(0, quantity.start - 24) : quantity.end + 16]
    names = [
        w for w in re.findall(r"[A-Za-z][\w.+-]*", around) if is_name_like(w) or w[:1].isupper()
    ]
    roots = {re.split(r"[-\d]", name)[0].lower() for name in names}
    return not any(len(root) > 2 and root in title.lower() for root in roots)


# --- kinds ---------------------------------------------------------------------------------------


def _of_kind(snapshot: Snapshot, wanted: IsKind, among: Collection[int]) -> dict[int, Match]:
    kind = next(kind for kind in KINDS if kind.name == wanted.kind)
    found: dict[int, Match] = {}
    for place in _with_words(snapshot, kind.needs, among):
        titled = bool(kind.title.search(title_of(snapshot, place)))
        shown: dict[int, float] = {}
        if wanted.where != "title" and kind.text.search(abstract_of(snapshot, place)):
            shown = {
                number: 1.0
                for number, text in sentences_in(snapshot, place)
                if kind.text.search(text)
            }
        if titled or shown:
            found[place] = Match(2.0 * titled + min(len(shown), 2), shown)
    return found


def _bringing(snapshot: Snapshot, wanted: Brings, among: Collection[int]) -> dict[int, Match]:
    found: dict[int, Match] = {}
    for place in among:
        abstract = abstract_of(snapshot, place).lower()
        if not any(needle in abstract for needle in needles(wanted.noun)):
            continue
        shown = {
            number: 1.0
            for number, text in sentences_in(snapshot, place)
            if brings(wanted.noun, text)
        }
        if shown:
            titled = bool(find(wanted.noun, title_of(snapshot, place)))
            found[place] = Match(2.0 * titled + len(shown), shown)
    return found


# --- topics --------------------------------------------------------------------------------------


def _about(
    collected: Collected, topic: Topic, among: Collection[int], cut: float
) -> dict[int, Match]:
    found: dict[int, Match] = {}
    for place, signs, shown in topic_signs(collected, topic, among):
        likely = topics.probability(signs)
        if likely >= topics.NEAR:
            found[place] = Match(likely, shown, near=likely < cut)
    return found


def topic_signs(
    collected: Collected, topic: Topic, among: Collection[int]
) -> Iterator[tuple[int, topics.Signs, dict[int, float]]]:
    """What each paper shows of *topic*: place, signs, sentences that show it."""
    snapshot = collected.snapshot
    phrases = list(dict.fromkeys((topic.text, *topic.alternatives, *topic.examples)))
    vectors = collected.embedder(phrases)
    whole = _standard(_closest(snapshot.chunks @ vectors.T, snapshot.chunk_starts))
    closest = snapshot.sentences @ vectors.T
    sentence = _standard(_closest(closest, snapshot.sentence_starts))
    forms = _topic_forms(snapshot, topic, among)
    asked = dict.fromkeys(
        form for phrase in (topic.text, *topic.alternatives) for form in shortened(phrase)
    )
    rare = [words for words in (_rare_words(snapshot, phrase) for phrase in asked) if words]
    likely = np.maximum(whole, sentence)
    places: Iterable[int] = among
    if len(among) > MOST_READ_FOR_TOPIC:
        order = sorted(among, key=lambda place: (-likely[place], place))[:MOST_READ_FOR_TOPIC]
        places = sorted({*order, *_candidates(snapshot, forms, among)})
    for place in places:
        signs, shown = _signs(
            snapshot, place, forms, rare, float(whole[place]), float(sentence[place])
        )
        if not shown:
            start = int(snapshot.sentence_starts[place])
            count = len(sentences_of(snapshot, place)) if signs.whole > 1 or signs.in_title else 0
            if count:
                rows = closest[start : start + count].max(axis=1)
                shown = {int(rows.argmax()): 0.5}
        yield place, signs, shown


def _topic_forms(snapshot: Snapshot, topic: Topic, among: Collection[int]) -> list[str]:
    """The phrases that are the topic where they stand, with acronyms and what those stand for."""
    forms = [
        form for phrase in (*topic.alternatives, *topic.examples) for form in shortened(phrase)
    ]
    return [*forms, *_other_names(snapshot, forms, among)]


_TAIL_NOUNS = frozenset(
    "models model methods method systems system techniques technique approaches approach "
    "algorithms algorithm"
    " architectures architecture networks network papers llms llm language large neural tasks problems".split()
)
_HEAD = re.compile(
    r"\s(?:by|with|using|in|of|for|during|under|through|via|from|on|to|at)\s", re.IGNORECASE
)


def shortened(phrase: str) -> list[str]:
    """*phrase* as it may stand in a text, without what follows it and words that say little.

    >>> shortened("code generation by LLMs"), shortened("mixture-of-experts models")
    (['code generation by', 'code generation'], ['mixture-of-experts'])
    """
    head = _HEAD.split(phrase)[0]
    forms = [_without_tail(phrase)]
    if len(words_of(head)) > 1 or is_name_like(head):
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
    title_stems = _stems(title)
    abstract_stems = _stems(abstract) | title_stems
    abstract_share = _most(phrases, abstract_stems)
    hit = bool(find_any(forms, abstract))
    shown: dict[int, float] = {}
    close = 0
    best = 0.0
    if hit or abstract_share > 0.5:
        for number, text in sentences_in(snapshot, place):
            stems = _stems(text)
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


def stand_close(words: Sequence[Collection[str]], text: str) -> bool:
    """Whether of each of two *words* or more one stem stands within a few words, in any order."""
    stems = _stems(text)
    if len(words) < 2 or not all(any(stem in stems for stem in word) for word in words):
        return False
    order = _stem_order(text)
    width = len(words) + REACH
    return any(
        all(any(stem in window for stem in word) for word in words)
        for start in range(max(1, len(order) - width + 1))
        if (window := set(order[start : start + width]))
    )


@lru_cache(maxsize=16384)
def _stem_order(text: str) -> tuple[str, ...]:
    return tuple(stem for word in compounds(text) for stem in _stems_of(word))


@lru_cache(maxsize=65536)
def _stems_of(compound: str) -> tuple[str, ...]:
    """The stems of a word; of a hyphenated one those of its parts and of all of it joined."""
    parts = [part for part in re.split("[-/]", compound) if part]
    stems = [canonical(_CLIPPED.get(part.lower(), part)) for part in parts]
    return (*stems, canonical("".join(parts))) if len(parts) > 1 else tuple(stems)


_ATTACHED = re.compile(
    r"(?:multi|non|pre|post|self|co|sub|inter|cross|semi|meta|hyper|bi|uni|anti|re|un|de)-"
)
# Words that are clipped as often as not.
_CLIPPED = {
    "math": "mathematics", "maths": "mathematics", "mathematical": "mathematics", "telecom": "telecommunications",
    "repo": "repository", "repos": "repositories", "param": "parameter", "params": "parameters", "hyperparams": "hyperparameters",
    "apps": "applications", "eval": "evaluation", "stats": "statistics", "statistical": "statistics", "docs": "documents",
    "configs": "configurations", "recsys": "recommender", "financial": "finance", "medical": "medicine",
}  # fmt: skip


@lru_cache(maxsize=16384)
def _stems(text: str) -> frozenset[str]:
    return frozenset(_stem_order(text))


def _rare_words(snapshot: Snapshot, phrase: str) -> tuple[_Rare, ...]:
    """The words of *phrase* with their rarity in the collection; empty words left out."""
    count = len(snapshot.papers)
    words: dict[str, _Rare] = {}
    for word in compounds(phrase):
        lower = word.lower()
        if lower in STOPWORDS:
            continue
        *parts, joined = _stems_of(lower)
        if parts and _ATTACHED.match(lower):
            parts = [joined]  # "multi" and "agent" apart are not multi-agent
        held = min(count, max(map(snapshot.lexical.document_frequency, {stem(lower), joined})))
        rarity = float(np.log(1 + (count - held + 0.5) / (held + 0.5)))
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
    return np.maximum.reduceat(cosines, starts, axis=0).astype(np.float64).max(axis=1)


def _standard(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = float(scores.std()) if scores.size else 0.0
    return (scores - scores.mean()) / spread if spread > 1e-9 else np.zeros_like(scores)
