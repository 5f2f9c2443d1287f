"""What a question of a conversation means on its own, resolved by rules and without a model.

The rules are tried in the order of `RULES`; the first that holds rewrites the question and says
why. A question that says itself what it is about is left as it is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag import several
from rag.dialogue import asides, cue, lists, reference
from rag.dialogue.fragment import (
    Fragment,
    alike,
    described_by,
    ends_a_name,
    fragment,
    is_subject,
    parts_after,
)
from rag.names import key_of
from rag.rank import fuse
from rag.retrieve import RARE_NAME, Library, latin_share, named_papers, read, signals_of
from rag.route import by_rules, route
from rag.several import MOST_ROWS, Carried, Rule
from rag.text import fold, squeeze
from rag.turn import (
    Spoken,
    Turn,
    about,
    asked_before,
    called,
    holds,
    introduced,
    is_carried,
    is_current,
    leading_away,
    longest,
    own_names,
    put,
    put_whole,
    spans,
    statement,
    subject_of,
    terms_of,
    turn_of,
    unheard_of,
    what_is,
    whole_question,
)
from rag.types import Answer, Hit
from rag.words import content_words, document_terms

MOST_TURNS = 50  # that a question can point back over
FEW_SHOWN = 8  # papers of which one may be meant by what a search finds
NEAR = 50  # papers among which one that is described is looked for
ENOUGH_WORDS = 3  # with which a correction describes a paper by itself
DESCRIBED = 0.75  # share of a description's words that the paper meant has, title words half more
# A question is clearly about another paper if that one scores so much higher, counted in what the
# best of as many papers scores by chance. Chosen on the seed papers (2.3, for another embedder): 73
# questions that go on stayed below it, 28 of 33 terse ones on another topic ("byzantine
# aggregation") lay above. Of the tests' questions those that hardly point back reach 1.77 now, and
# the others begin at 1.87.
ELSEWHERE = 1.83


@dataclass(frozen=True, slots=True)
class Resolved:
    """A question as it has to be asked without its conversation, and how that was found."""

    question: str
    reason: str  # empty where nothing was carried over
    problem: str = ""  # a sentence for people where what it refers to is not there
    of_one: bool = False  # it says behind it, in brackets, which one paper it is asked of


class Condense(Protocol):
    """Anything that says what a question of a conversation means on its own: `resolve`, a model."""

    def __call__(
        self, library: Library, question: str, conversation: Sequence[Answer]
    ) -> Resolved: ...


def resolve(library: Library, question: str, conversation: Sequence[Answer]) -> Resolved:
    """*question* with what it refers to, by the first of `RULES` that holds.

    What names its subject, what is long, and small talk stay as they are; so does a first question.
    """
    past = tuple(answer for answer in conversation[-MOST_TURNS:] if answer.shape != "chat")
    if len(question) > cue.MOST_CHARACTERS or _is_small_talk(question):
        return Resolved(question, "")
    turn = turn_of(library, squeeze(question), past)
    problem = several.problem(turn)
    if problem or not past:
        return Resolved(question, "", problem)
    for reason, rule in several.RULES:
        found = rule(turn)
        if found is not None:
            return Resolved(found[0], _because(reason, found[1]))
    turn, pointed = several.with_ordinals(turn)
    for reason, rule in RULES:
        found = rule(turn)
        if found is not None:
            rewritten, carried = found
            one = len(carried) == 1 and rewritten.endswith(")") and not turn.shown.endswith(")")
            return Resolved(rewritten, _because(reason, (*pointed, *carried)), of_one=one)
    if pointed:
        return Resolved(turn.shown, _because("one of those shown", pointed))
    return Resolved(question, "")


def _because(reason: str, carried: Sequence[Spoken]) -> str:
    names = ", ".join(dict.fromkeys(one.name for one in carried))
    return f"{reason}: {names}" if names else reason


def _is_small_talk(question: str) -> bool:
    # Asked first, "how does it work?" means this tool; asked after an answer, the paper.
    return route(question).shape == "chat" and not _HOW_IT_WORKS.search(question)


_HOW_IT_WORKS = re.compile(r"^\W*(?:and |so |but )?how (?:do|does|did) (?:it|this|that) ", re.I)


# --- What is said before the question -------------------------------------------------------------


def _change(turn: Turn) -> Carried | None:
    """Another topic is announced: nothing is carried, and the announcement is left out."""
    rest = asides.after_a_change(turn.text)
    return None if rest is None else (turn.tail(rest), ())


def _correction(turn: Turn) -> Carried | None:
    """What was answered last was not meant: ask again, or ask the new question, of what was."""
    part = asides.replacement(turn.text, turn.last_question)
    if part is not None:
        return put(turn.last_question, *part), ()
    aside = asides.correction(turn.text)
    if aside is None:
        return None
    rest, current = turn.tail(aside.rest), turn.recent[-1:]
    if not aside.target:
        return (about(turn, rest, *current), current) if current else None
    piece = fragment(aside.target)
    if piece and piece.preposition and not (rest or leading_away(turn, piece.phrase)):
        return _with_another_part(turn, piece)
    meant = _meant(turn, aside)
    if meant is None:
        return None
    return (about(turn, rest, meant) if rest else _asked_again(turn, aside.target, meant)), (meant,)


def _asked_again(turn: Turn, target: str, meant: Spoken) -> str:
    """The last question, answered from the wrong paper, asked of the one *meant*.

    Where it named no paper it was a description, and the correction is a better one.
    """
    asked = turn.last_question
    titled = [one.name for one in _wrong(turn) if one.name in asked]
    names = titled or own_names(turn, asked, _wrong(turn))
    if names:
        return put_whole(turn, asked, names[0], meant.name)
    described = cue.subject_words(put(target, meant.name, " "))
    return about(turn, target if described else asked, meant)


def _wrong(turn: Turn) -> list[Spoken]:
    """What was answered from last, and not meant."""
    return [Spoken(source.title, source.paper_id) for source in turn.past[-1].sources[:1]]


def _meant(turn: Turn, aside: asides.Aside) -> Spoken | None:
    """The paper that a correction means: named, described among those spoken of, or found."""
    wrong = {one.paper_id for one in _wrong(turn)}
    snapshot = turn.library.snapshot
    for name, ids in introduced(snapshot, aside.target).items():
        if ids - wrong and not cue.subject_words(put(aside.target, name, " ")):
            return Spoken(name, min(ids - wrong))
    earlier = [one for one in turn.recent if one.paper_id not in wrong]
    known = _described(turn, aside.target, earlier)
    if known is not None:
        return known
    hits = _hits(turn, _search_for(turn, aside))
    found = next((hit.paper for hit in hits if hit.paper.id not in wrong), None)
    if found is None:
        return None
    return Spoken(called(snapshot, found.id, found.title, turn.past[-1]), found.id)


def _search_for(turn: Turn, aside: asides.Aside) -> str:
    """What to look for when a correction only describes a paper, or says no more than "other"."""
    described = len(cue.subject_words(aside.target))
    if described and (aside.rest or described >= ENOUGH_WORDS):
        return f"{aside.target} {aside.rest}".strip()
    asked = turn.last_question
    for name in own_names(turn, asked, _wrong(turn)):
        asked = put(asked, name, " ")
    return f"{aside.target} {asked}" if described else asked


def _return(turn: Turn) -> Carried | None:
    """An earlier paper is gone back to by name or by description."""
    aside = asides.returning(turn.text)
    if aside is None:
        return None
    meant = (
        _described(turn, aside.target, turn.recent)
        or _counted_from_first(turn, aside.target)
        or _found(turn, aside.target)
    )
    if meant is None:
        return None
    if aside.rest:
        return about(turn, turn.tail(aside.rest), meant), (meant,)
    return _asked_last(turn, meant) or what_is(turn, meant), (meant,)


_PLACES = ("first", "second", "third", "original")
_FROM_FIRST = re.compile(
    r"\bvery (?P<place>first)\b|\b(?P<place2>first|second|third|original)\b", re.I
)


def _counted_from_first(turn: Turn, target: str) -> Spoken | None:
    """The one that was spoken of first, second or third, where *target* says so."""
    found = _FROM_FIRST.search(target)
    place = _PLACES.index((found["place"] or found["place2"]).lower()) if (
        found
    ) else len(turn.spoken)  # fmt: skip
    return turn.spoken[place] if place < len(turn.spoken) else None


def _asked_last(turn: Turn, meant: Spoken) -> str:
    """The last question that was answered from the one *meant* first; empty if none was."""
    return next(
        (
            answer.standalone_question
            for answer in reversed(turn.past)
            if answer.shape == "answer"
            and not answer.abstained
            and [source.paper_id for source in answer.sources[:1]] == [meant.paper_id]
        ),
        "",
    )


def _described(turn: Turn, target: str, among: Sequence[Spoken]) -> Spoken | None:
    """The one *among* those spoken of that *target* describes by words of its title; the latest."""
    wanted = cue.subject_words(target) or content_words(target)
    best: tuple[float, Spoken | None] = (DESCRIBED, None)
    for one in among:
        paper = turn.paper_of(one)
        title = set(document_terms(f"{one.name} {paper.title if paper else ''}"))
        text = title | terms_of(paper) if paper else title
        share = (len(wanted & title) + 0.5 * len(wanted & text)) / max(1, len(wanted))
        if share >= best[0]:
            best = (share, one)
    return best[1]


def _found(turn: Turn, target: str) -> Spoken | None:
    """The one of the papers spoken of before the last that a search for *target* finds first."""
    earlier = {one.paper_id: one for one in turn.recent[:-1] if one.paper_id}
    hits = _hits(turn, target) if earlier else ()
    return next((earlier[hit.paper.id] for hit in hits if hit.paper.id in earlier), None)


def _hits(turn: Turn, question: str) -> tuple[Hit, ...]:
    return read(turn.library.snapshot, turn.library.embedder, question, NEAR).hits


# --- Others, fewer, all, another ------------------------------------------------------------------


def _others(turn: Turn) -> Carried | None:
    """Other papers are wanted, on what was asked about last; none is named."""
    if turn.current is None or not reference.asks_for_others(turn.text):
        return None
    asked = statement(_topic(turn))
    titled = turn.paper is not None and turn.paper.title in asked
    if asked and not titled and not own_names(turn, asked, turn.recent[-1:]):
        return f"Which other papers {reference.predicate(asked)}?", ()
    head, _, tail = (turn.paper.title if turn.paper else asked or turn.current.name).partition(":")
    # Without its small words a title is no longer quoted, and its paper no longer the one named.
    return f"Which other papers are about {tail.strip() or ' '.join(cue.told(head))}?", ()


def _another_described(turn: Turn) -> Carried | None:
    """One more paper on the same is wanted, and described: "isn't there another one, with …?"."""
    aside = reference.another_one(turn.text)
    if aside is None or turn.current is None:
        return None
    said, asked = aside
    known = {one.paper_id for one in turn.recent}
    hits = _hits(turn, f"{said} {_without_names(turn, turn.last_question)}")
    paper = next((hit.paper for hit in hits if hit.paper.id not in known), None)
    if paper is None:
        return None
    meant = Spoken(called(turn.library.snapshot, paper.id, paper.title, turn.past[-1]), paper.id)
    return (about(turn, turn.tail(asked), meant) if asked else what_is(turn, meant)), (meant,)


def _without_names(turn: Turn, asked: str) -> str:
    for name in own_names(turn, asked, turn.recent):
        asked = put(asked, name, " ")
    return asked


def _topic(turn: Turn) -> str:
    """The last question that was answered and says what it is about; of a comparison, the list.

    Empty if none does.
    """
    for answer in reversed(turn.past):
        if answer.shape == "list":
            return lists.as_list(answer.standalone_question)
        told = answer.sources or answer.abstention == "no_paper"
        if told and answer.shape == "answer" and cue.subject_words(answer.standalone_question):
            return answer.standalone_question
    return ""


def _compared(turn: Turn) -> Carried | None:
    """What was spoken of last is set beside another that the question names."""
    current = turn.current
    if current is None or not reference.compares_with(turn.text):
        return None
    found, away = introduced(turn.library.snapshot, turn.text), leading_away(turn, turn.text)
    named = found | away
    others = [
        name
        for name, ids in named.items()
        if reference.is_beside(turn.text, name) or (name in away and ids)
    ]
    if len(set(named.values())) != 1 or not others or current.paper_id in named[others[0]]:
        return None
    other = min(others, key=longest)
    anaphor = reference.stands_for(turn.text[: turn.text.find(other)])
    if anaphor is None:
        return None
    sides = (current, Spoken(other))
    measure = _measure(turn) if reference.is_vague(turn.text) else ""
    if measure:
        return f"How do {current.name} and {other} compare: {measure}", sides
    start, end, possessive = anaphor
    said = f"{current.name}'s" if possessive else current.name
    question = f"{turn.shown[:start]}{said} {turn.shown[end:].lstrip()}".strip()
    if route(question).shape != "comparison":
        question = f"How do {current.name} and {other} compare: {question}"
    return question, sides


def _measure(turn: Turn) -> str:
    """The last question asked of each: "What MFU does each reach?"; empty if it cannot be."""
    names = own_names(turn, turn.last_question, turn.recent[-1:])
    if not names or is_carried(turn.past[-1]):
        return ""
    owned = re.sub(rf"{re.escape(names[0])}'s", "each one's", turn.last_question)
    return put(owned, names[0], "each")


def _all_of_them(turn: Turn) -> Carried | None:
    """Which of those shown, or both."""
    items = turn.rows if 1 < len(turn.rows) <= MOST_ROWS else turn.recent[-2:]
    several = turn.past[-1].shape == "comparison" and reference.speaks_of_several(turn.text)
    if len(items) < 2 or not (several or reference.asks_of_all(turn.text)):
        return None
    named = introduced(turn.library.snapshot, turn.text)
    if len(named) > 1 or any(leading_away(turn, turn.text).values()):
        return None
    return about(turn, turn.shown, *items), items


# --- The question before, with something else in it -----------------------------------------------


def _parallel(turn: Turn) -> Carried | None:
    """The question before, asked of something else: "and for Gopher?", "and on ImageNet?"."""
    piece = fragment(turn.shown) if fragment(turn.text) else None
    if piece is None:
        return None
    if piece.of_a_subject:
        another = _another(turn, piece.phrase) or _rare_name(turn, piece)
        if another is not None:
            return _of_another(turn, piece, another)
        described = _of_described(turn, piece)
        if described is not None:
            return described
    return None if turn.current is None else _with_another_part(turn, piece)


def _of_described(turn: Turn, piece: Fragment) -> Carried | None:
    """The question before, asked of a paper that is described: "and in the lentil paper?"."""
    target = described_by(piece.phrase)
    wanted = cue.subject_words(target)
    hits = _hits(turn, target) if wanted else ()
    titled = (hit.paper for hit in hits if wanted <= set(document_terms(hit.paper.title)))
    paper = next(titled, None)
    if paper is None or (turn.paper is not None and turn.paper.id == paper.id):
        return None
    meant = Spoken(called(turn.library.snapshot, paper.id, paper.title, turn.past[-1]), paper.id)
    asked = asked_before(turn, meant)
    return (asked, (meant,)) if asked else None


def _another(turn: Turn, phrase: str) -> Spoken | None:
    """What *phrase* names, if it is not of the paper spoken of last: a paper, or none here."""
    names = list(leading_away(turn, phrase))
    if not names and not _conditions(turn):
        snapshot = turn.library.snapshot
        known = (*introduced(snapshot, phrase), *unheard_of(snapshot, phrase))
        names = [name for name in known if not is_current(turn, name)]
    name = min(names, key=longest, default=None)
    return None if name is None else Spoken(name)


def _conditions(turn: Turn) -> list[str]:
    """The names in the last question that are not what it is about: data sets, devices, others."""
    current = turn.recent[-1:]
    own = {key_of(name) for name in own_names(turn, turn.last_question, current)}
    own |= {key_of(one.name) for one in current}
    names = cue.names_of_its_own(turn.last_question)
    return [name for name in names if not any(key in key_of(name) for key in own)]


def _rare_name(turn: Turn, piece: Fragment) -> Spoken | None:
    """A lone word that hardly any paper has, the one at hand not among them: "for Gopher?"."""
    word = next(iter(piece.phrase.split()), "").strip(",;:")
    if len(word) < 3 or not word.isalpha() or not ends_a_name(piece.phrase[len(word) :]):
        return None
    terms = cue.subject_words(word)
    if len(terms) != 1 or holds(turn.paper, word):
        return None
    frequency = turn.library.snapshot.lexical.document_frequency(*terms)
    known = frequency and piece.preposition not in {"", "in"}
    if frequency > RARE_NAME or not (known or word[0].isupper()):
        return None
    first = next(iter(_hits(turn, word)), None) if frequency else None
    return Spoken(word, first.paper.id if first and holds(first.paper, word) else "")


def _of_another(turn: Turn, piece: Fragment, another: Spoken) -> Carried | None:
    """The last whole question, with *another* in the place of what that was about."""
    (start, end), *_ = spans(piece.phrase, another.name) or [(0, 0)]
    before, name, after = piece.phrase[:start], piece.phrase[start:end], piece.phrase[end:]
    if cue.told(before) or not ends_a_name(after):
        return None  # it says itself what it asks: "ShadowKV parameter count"
    asked = whole_question(turn)
    subject = subject_of(turn, asked) if asked and asked.shape != "comparison" else None
    if asked is None or subject is None or key_of(subject) == key_of(another.name):
        return None
    changed = put_whole(turn, _THE_ORIGINAL.sub("", asked.standalone_question), subject, name)
    aside = fragment(after)
    if aside is not None and aside.preposition:
        changed = _put_part(changed, aside, spans(changed, name))
    # The catalog does not know a name that is written like any word: its paper's title does.
    paper = turn.paper_of(another)
    return (f"{changed} ({paper.title})" if paper else changed), (another,)


_THE_ORIGINAL = re.compile(r"\bthe (?:original|plain|vanilla|standard|old|basic) (?=[A-Z])")


def _with_another_part(turn: Turn, piece: Fragment) -> Carried | None:
    """The last question, with another data set, device or the like in the place of its own."""
    asked, current = turn.last_question, turn.recent[-1:]
    if piece.preposition:
        elsewhere = any(leading_away(turn, piece.phrase).values())
        own = () if elsewhere else own_names(turn, asked, current)
        if is_carried(turn.past[-1]) and not any(
            alike(piece.preposition, w) for w, *_ in parts_after(asked)
        ):
            return None
        return _put_part(asked, piece, [at for name in own for at in spans(asked, name)]), current
    condition, named = _replaced(turn), cue.names_of_its_own(piece.phrase)
    if condition and named and not cue.subject_words(put(piece.phrase, named[0], " ")):
        return put(asked, condition, piece.phrase), current
    if piece.opened and holds(turn.paper, piece.phrase) and not is_carried(turn.past[-1]):
        return f"{statement(asked)}, and {piece.phrase}?", current
    return None


def _replaced(turn: Turn) -> str | None:
    """The name in the last question that another one replaces: what it asks about "on", or last."""
    conditions, asked = _conditions(turn), turn.last_question
    on = " ".join(asked[start:end] for word, start, end in parts_after(asked) if word == "on")
    asked_on = [name for name in conditions if spans(on, name)]
    return next(iter((*asked_on, *conditions[-1:])), None)


def _put_part(asked: str, piece: Fragment, kept: Sequence[tuple[int, int]]) -> str:
    """*asked* with *piece* for the part after a like preposition, else for its last part.

    A part that holds a name at *kept* is what the question is about, and stays.
    """
    parts = [
        (word, start, end)
        for word, start, end in parts_after(asked)
        if not any(start <= first < end for first, _ in kept)
    ]
    same = [part for part in parts if alike(part[0], piece.preposition)]
    said = f"{piece.preposition} {piece.phrase}"
    if same or parts:
        word, start, end = (same or parts)[-1]
        return f"{asked[: start - len(word) - 1]}{said}{asked[end:]}"
    return f"{statement(asked)} {said}?"


# --- Going on -------------------------------------------------------------------------------------


def _describes(turn: Turn) -> Carried | None:
    """A paper spoken of earlier, or one of those last shown, is described: "the recipe one"."""
    shown = tuple(dict.fromkeys((*turn.listed, *turn.rows)))
    for target in reference.described(turn.text):
        meant = (
            _described(turn, target, turn.recent)
            or _only_one(turn, target, shown)
            or _nearest(turn, target, shown)
        )
        if meant is not None and not own_names(turn, turn.text, [meant]):
            return about(turn, turn.shown, meant), (meant,)
    return None


def _nearest(turn: Turn, target: str, shown: Sequence[Spoken]) -> Spoken | None:
    """The one of several *shown* that a search for *target* finds before the others."""
    ids = {one.paper_id: one for one in shown if one.paper_id}
    if not 1 < len(ids) <= FEW_SHOWN or not cue.subject_words(target):
        return None
    return next((ids[hit.paper.id] for hit in _hits(turn, target) if hit.paper.id in ids), None)


def _only_one(turn: Turn, target: str, shown: Sequence[Spoken]) -> Spoken | None:
    """The one of those *shown* that *target* describes: by its title, or as no other does."""
    wanted = cue.subject_words(target) or content_words(target)
    papers = [(one, turn.paper_of(one)) for one in shown]
    titled = [one for one, p in papers if p and wanted <= set(document_terms(p.title))]
    held = [one for one, paper in papers if paper and wanted <= terms_of(paper)]
    found = titled or held
    return found[0] if wanted and len(found) == 1 else None


def _goes_on(turn: Turn) -> Carried | None:
    """It points back, and no other paper is clearly the one it is about."""
    current, text = turn.current, turn.text
    if current is None or _names_one(turn, text):
        return None
    away = leading_away(turn, text)
    if any(ids and is_subject(text, text.find(name)) for name, ids in away.items()):
        return None
    found = cue.cue(text, min((text.find(name) for name in away), default=None))
    if not found.what or not (found.sure or _may_go_on(turn, current)):
        return None
    return about(turn, turn.shown, current), (current,)


def _names_one(turn: Turn, text: str) -> bool:
    """Whether *text* calls something that was spoken of by its name."""
    earlier = {key_of(one.name) for one in turn.recent}
    found = own_names(turn, text, turn.recent)
    return any(is_current(turn, name) or key_of(name) in earlier for name in found)


def _may_go_on(turn: Turn, current: Spoken) -> bool:
    """Whether a question that hardly points back can still be about the *current* paper."""
    shape = by_rules(turn.text).shape
    if shape == "list" or (shape == "comparison" and reference.joins_two(turn.text)):
        return False
    if _is_elsewhere(turn, current):
        return False
    frequency = turn.library.snapshot.lexical.document_frequency
    words = () if cue.is_foreign(turn.text) else cue.subject_words(turn.text)
    strange = any(frequency(word) == 0 for word in words)
    return cue.without_opener(turn.text)[1] or not strange or holds(turn.paper, turn.text)


def _is_elsewhere(turn: Turn, current: Spoken) -> bool:
    """Whether the question alone finds another paper by far before the *current* one."""
    snapshot, text = turn.library.snapshot, fold(turn.text)
    place = snapshot.places.get(current.paper_id)
    if place is None or len(snapshot.papers) < 2:
        return False
    vector = turn.library.embedder([text])[0]
    signals = signals_of(snapshot, text, vector, named_papers(snapshot, text), (place,))
    scores = fuse(signals, meaning=latin_share(text))
    chance = math.sqrt(2 * math.log(len(scores)))
    return float(scores.max() - scores[place]) > ELSEWHERE * chance


RULES: tuple[tuple[str, Rule], ...] = (
    ("a change of topic, nothing carried", _change),
    ("a correction", _correction),
    ("back to an earlier paper", _return),
    ("another one on the same topic", _another_described),
    ("others on the same topic", _others),
    ("beside what was spoken of last", _compared),
    ("the question before, asked of something else", _parallel),
    ("of all that were shown", _all_of_them),
    ("a paper spoken of earlier", _describes),
    ("goes on about what was spoken of last", _goes_on),
)
