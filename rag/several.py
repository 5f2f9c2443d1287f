"""Questions about what was shown together: by place, narrowed, counted, side by side once more.

Part of `rag.followup`, whose rules are tried after these.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from rag.dialogue import cue, edits, lists, places, reference
from rag.dialogue.fragment import Fragment, fragment
from rag.names import key_of
from rag.prompts import render
from rag.route import route
from rag.turn import (
    Spoken,
    Turn,
    asked_before,
    introduced,
    joined,
    side,
    spans,
    statement,
    what_is,
)
from rag.types import Answer, Subject, Table
from rag.words import content_words, document_terms

MOST_ROWS = 5  # of a comparison
MOST_OF_AN_AXIS = 4  # words, where only they are said

Carried = tuple[str, Sequence[Spoken]]
"""A question rewritten, and what was carried into it."""

Rule = Callable[[Turn], Carried | None]
"""None where the rule does not hold."""


# --- By place -------------------------------------------------------------------------------------


def problem(turn: Turn) -> str:
    """A sentence for people if *turn* points at what was not shown; empty if all is there."""
    found = places.several(turn.text)
    said: places.Ordinal | places.Several | None = found
    if found is None or len(_chosen(turn, found)) > 1:
        said = next((one for one in places.ordinals(turn.text) if _is_missing(turn, one)), None)
    items, text = max(items_of(turn), turn.listed, key=len), turn.text
    if said is None and not items and reference.asks_for_others(text):
        return render("nothing_shown", said=statement(turn.shown))
    if said is None or not (found or items or places.is_bare(text, said)):
        return ""
    if not items:
        return render("nothing_shown", said=statement(turn.shown))
    name = turn.shown[said.start : said.end].strip() or statement(turn.shown)
    shown = "1 paper was" if len(items) == 1 else f"{len(items)} papers were"
    return render("only_shown", shown=shown, said=name)


def _is_missing(turn: Turn, one: places.Ordinal) -> bool:
    """Whether nothing stands where a person surely points."""
    sure = one.sure or places.is_bare(turn.text, one)
    if not sure or _item(turn, one.place) is not None:
        return False
    items = items_of(turn)
    # "No, I meant the other paper" is looked for, if one was shown.
    searched = one.place == "other" and bool(items) and _is_correction(turn, one)
    return not searched and (one.place != "other" or places.is_bare(turn.text, one))


def _is_correction(turn: Turn, one: places.Ordinal) -> bool:
    return bool(turn.text[: one.start].strip())


def items_of(turn: Turn) -> tuple[Spoken, ...]:
    """Those last shown together, or spoken of one after the other: what places count."""
    return turn.rows or turn.spoken


def with_ordinals(turn: Turn) -> tuple[Turn, tuple[Spoken, ...]]:
    """*turn* with the names of what "the second one" and the like point at."""
    question, pointed = turn.shown, list[Spoken]()
    for ordinal in reversed(places.ordinals(turn.text)):
        meant = _item(turn, ordinal.place) if len(items_of(turn)) > 1 else None
        if meant is not None:
            question = question[: ordinal.start] + _in_words(turn, meant) + question[ordinal.end :]
            pointed.append(meant)
    return (turn.asking(question), tuple(reversed(pointed))) if pointed else (turn, ())


def _in_words(turn: Turn, one: Spoken) -> str:
    """*one* in the middle of a question: a whole title stands in quotation marks."""
    paper = turn.paper_of(one)
    return side(turn, one) if paper and paper.title == one.name else one.name


def _item(turn: Turn, place: str) -> Spoken | None:
    """The one of those shown that stands at *place*, as `places` names it."""
    items = items_of(turn)
    if place == "other":
        among = items if len(items) == 2 else turn.recent
        return next((one for one in reversed(among) if one != turn.current), None)
    if place in {"left", "right"} and _compared(turn) is None:
        return None
    at = {"last": -1, "right": -1, "left": 1}.get(place) or int(place)
    items = items if abs(at) <= len(items) else turn.listed
    return items[at - (at > 0)] if 0 < abs(at) <= len(items) else None


def _chosen(turn: Turn, found: places.Several) -> tuple[Spoken, ...]:
    """Those that *found* points at, in that order; none if one of them is not there."""
    items = items_of(turn)
    if found.places:
        from_rows = [_item(replace(turn, listed=()), place) for place in found.places]
        from_list = replace(turn, rows=turn.listed)
        all_here = all(from_rows) or not turn.listed
        chosen = from_rows if all_here else [_item(from_list, place) for place in found.places]
        return tuple(one for one in chosen if one) if all(chosen) else ()
    if found.count == 2 and len(items) != 2:
        return tuple(one for one in turn.spoken if one in turn.recent[-2:])
    return items if found.count <= len(items) else ()


def _side_by_side(turn: Turn) -> Carried | None:
    """Several are pointed at by their places: "compare the second and fourth"."""
    found = places.several(turn.text)
    chosen = _chosen(turn, found)[:MOST_ROWS] if found else ()
    if not found or len(chosen) < 2:
        return None
    names = joined([side(turn, one) for one in chosen])
    if places.is_bare(turn.text, found):
        return f"Compare {names}", chosen
    before, after = turn.shown[: found.start].rstrip(), turn.shown[found.end :].strip()
    question = (
        f"{before} {names} {after}".strip()
        if after[:1].isalpha()
        else (f"{before} {names}{after}".strip())
    )
    compares = reference.compares_with(turn.text) and route(question).shape != "comparison"
    return (f"How do {names} compare: {question}" if compares else question), chosen


def _beside_current(turn: Turn) -> Carried | None:
    """The one spoken of last beside one pointed at: "compare it with the third"."""
    pointed, current = places.ordinals(turn.text), turn.current
    meant = _item(turn, pointed[0].place) if len(pointed) == 1 else None
    if meant is None or current in (None, meant) or not reference.compares_with(turn.text):
        return None
    assert current is not None
    before = turn.text[: pointed[0].start]
    anaphor = re.search(r"\b(?:compare|contrast) (?P<it>it|this|that)\b", before, re.IGNORECASE)
    if anaphor is None:
        return None
    start, end = anaphor.span("it")
    rest = f"{turn.shown[end : pointed[0].start]}{side(turn, meant)}{turn.shown[pointed[0].end :]}"
    return f"{turn.shown[:start]}{side(turn, current)}{rest}", (current, meant)


def _by_place(turn: Turn) -> Carried | None:
    """One is pointed at and no more is said: the question before is asked of it, or what it is."""
    pointed = places.ordinals(turn.text)
    if len(pointed) != 1 or not places.is_bare(turn.text, pointed[0]):
        return None
    meant = _item(turn, pointed[0].place)
    if meant is None:
        return None
    return asked_before(turn, meant) or what_is(turn, meant), (meant,)


# --- A list ---------------------------------------------------------------------------------------


def _counted(turn: Turn) -> Carried | None:
    """The number of those just listed, or which those just counted are."""
    last = turn.past[-1]
    if last.shape != "list":
        return None
    asked = statement(last.standalone_question)
    if lists.wants_count(turn.text):
        return f"{lists.as_count(asked)}?", ()
    return (f"{lists.as_list(asked)}?", ()) if lists.wants_papers(turn.text) else None


def _narrowed(turn: Turn) -> Carried | None:
    """Those of the list just shown that meet one more condition."""
    listed = _listed(turn)
    if listed is None:
        return None
    directly = turn.past[-1] is listed
    wanted = lists.narrowed(turn.text) if directly else lists.of_the_list(turn.text)
    if wanted is None or _names_a_place(turn):
        return None
    asked = lists.as_list(statement(listed.standalone_question))
    asked, but, excluded = (asked, "", "") if wanted.excludes else asked.partition(" but ")
    if wanted.counts:
        asked = lists.as_count(asked)
    return f"{asked} {wanted.joint} {turn.tail(wanted.predicate)}{but}{excluded}?", ()


def _names_a_place(turn: Turn) -> bool:
    return any(_item(turn, one.place) for one in places.ordinals(turn.text))


def _listed(turn: Turn) -> Answer | None:
    """The list that was shown last, if no comparison came after it."""
    last = _shown_together(turn)
    return last if last is not None and last.shape == "list" else None


def _shown_together(turn: Turn) -> Answer | None:
    return next((answer for answer in reversed(turn.past) if answer.shape != "answer"), None)


# --- A comparison ---------------------------------------------------------------------------------


def _edited(turn: Turn) -> Carried | None:
    """Somebody comes into the comparison just shown, or leaves it: "and peas?", "drop beans"."""
    change = edits.edit(turn.text)
    last = _compared(turn) if change else None
    if change is None or last is None or last.table is None:
        return None
    if last is not turn.past[-1] and not (change.outright and change.old):
        return None
    rows = last.table.subjects
    gone = _row(turn, rows, change.old) if change.old else None
    if change.old and gone is None and change.new:  # "substitute peas for beans"
        gone = _row(turn, rows, change.new)
        change = edits.Edit(change.new, change.old, change.outright)
    new = _newcomers(turn, change, last)
    stays = gone is not None and change.new != "" and _row(turn, rows, change.new) is not None
    if (change.old and gone is None) or (change.new and not (new or stays)) or not (gone or new):
        return None
    names = [_written(turn, row) for row in rows]
    at = rows.index(gone) if gone else len(names)
    names[at : at + 1] = new
    if len(names) < 2:
        return _of_one(last.table, names[0]) if names else None
    return _compare_anew(turn, last, names), tuple(Spoken(name) for name in names)


def _of_one(table: Table, name: str) -> Carried:
    """What is asked when but one is left: the same, if that was one thing, or what it is."""
    one = len(table.axes) == 1
    return (f"{table.axes[0]}? ({name})" if one else f"What is {name} about?"), (Spoken(name),)


def _compared(turn: Turn) -> Answer | None:
    """The comparison that was shown last, if no list came after it."""
    last = _shown_together(turn)
    return last if last is not None and last.table is not None else None


def _row(turn: Turn, rows: Sequence[Subject], said: str) -> Subject | None:
    """The one of the *rows* of a comparison that *said* means: by its name, title or place."""
    pointed = places.ordinals(said)
    meant = _item(turn, pointed[0].place) if pointed else None
    if meant is not None:
        return next((row for row in rows if row.paper_id == meant.paper_id), None)
    key = key_of(re.sub(r"^the | (?:one|paper|system|column)$", "", said.strip(" \"'")))
    words = content_words(said)
    for row in rows:
        if key and key in (key_of(row.name), key_of((row.title or "").partition(":")[0])):
            return row
    titled = [row for row in rows if words <= set(document_terms(f"{row.name} {row.title or ''}"))]
    return titled[0] if words and len(titled) == 1 else None


def _newcomers(turn: Turn, change: edits.Edit, last: Answer) -> list[str]:
    """The names that come in, as written; none if anything else is said beside them."""
    rows = last.table.subjects if last.table else ()
    here = {row.paper_id for row in rows}
    phrase = turn.shown[turn.text.find(change.new) :][: len(change.new)] if change.new else ""
    known = introduced(turn.library.snapshot, phrase)
    names = [name for name, ids in known.items() if not ids & here]
    names = [name for name in names if not any(name in other != name for other in names)]
    if not names and change.outright and _is_a_name(phrase) and _row(turn, rows, phrase) is None:
        return [phrase]
    for name in names:
        phrase = phrase.replace(name, "\0")
    if not _NAMES.fullmatch(phrase):
        return []
    if not change.outright and any(_is_a_condition(turn, name, last) for name in names):
        return []
    return sorted(names, key=turn.shown.find)


_NAMES = re.compile(
    r"(?:the )?\0(?:(?:,| and| or| &)+ (?:the )?\0)*(?: paper| one)?", re.IGNORECASE
)


def _is_a_condition(turn: Turn, name: str, last: Answer) -> bool:
    """Whether *name* is what sides are compared on, a data set or the like, and none of them.

    So it is if one of their abstracts has it, or if the last question was on one such already and
    no paper here has *name* in its title.
    """
    rows = last.table.subjects if last.table else ()
    papers = [turn.paper_of(Spoken(row.name, row.paper_id or "")) for row in rows]
    if any(spans(paper.abstract, name) for paper in papers if paper):
        return True
    region = _sides_in(turn, last)
    on = last.standalone_question[region[1] :] if region else ""
    owners = introduced(turn.library.snapshot, name).values()
    owned = [turn.paper_of(Spoken(name, one)) for ids in owners for one in sorted(ids)]
    titled = any(spans(paper.title, name) for paper in owned if paper)
    return bool(cue.names_of_its_own(on)) and not titled


def _is_a_name(phrase: str) -> bool:
    return len(phrase.split()) == 1 and any(char.isupper() for char in phrase)


def _written(turn: Turn, row: Subject) -> str:
    """*row* as it can stand in a question."""
    return side(turn, _spoken(turn, row) or Spoken(row.name))


def _spoken(turn: Turn, row: Subject) -> Spoken | None:
    same = (one for one in turn.recent if one.paper_id and one.paper_id == row.paper_id)
    return next(same, None)


_BETWEEN = re.compile(
    r"(?:[\s,&\"'“”]|\b(?:and|with|to|vs\.?|versus|or|against|compared)\b)*", re.IGNORECASE
)


def _compare_anew(turn: Turn, last: Answer, names: Sequence[str]) -> str:
    """The comparison *last* asked for, with *names* in the place of its sides."""
    asked, region = last.standalone_question, _sides_in(turn, last)
    if region is None:
        axes = last.table.axes if last.table and len(last.table.axes) == 1 else ()
        return f"Compare {joined(names)}{f' on {axes[0]}' if axes else ''}"
    return f"{asked[: region[0]]}{joined(names)}{asked[region[1] :]}"


def _sides_in(turn: Turn, last: Answer) -> tuple[int, int] | None:
    """Where the sides of a comparison stand in its question, if they stand there side by side."""
    asked, rows = last.standalone_question, last.table.subjects if last.table else ()
    named = [one for row in rows for one in _where(turn, asked, row)]
    found = sorted(_with_marks(asked, start, end) for start, end in named)
    between = [asked[one[1] : other[0]] for one, other in pairwise(found)]
    if len(found) < len(rows) or not all(_BETWEEN.fullmatch(text) for text in between):
        return None
    return found[0][0], found[-1][1]


def _where(turn: Turn, asked: str, row: Subject) -> list[tuple[int, int]]:
    one = _spoken(turn, row)
    return spans(asked, row.name)[:1] or (spans(asked, one.name)[:1] if one else [])


def _with_marks(asked: str, start: int, end: int) -> tuple[int, int]:
    before, after = asked[max(0, start - 1) : start], asked[end : end + 1]
    marked = before in _MARKS and after in _MARKS and bool(before and after)
    return (start - 1, end + 1) if marked else (start, end)


_MARKS = "\"'“”"


def _on_another_axis(turn: Turn) -> Carried | None:
    """The comparison just shown, on something else: "what about cost?"."""
    last, piece = turn.past[-1], fragment(turn.text)
    if last.table is None or piece is None or not all(row.found for row in last.table.subjects):
        return None
    if introduced(turn.library.snapshot, turn.shown) or cue.is_foreign(turn.text):
        return None
    if piece.preposition not in {"", "on", "in", "by"}:
        return None
    if not (piece.preposition or _is_an_axis(turn, piece, last)):
        return None
    names = [_written(turn, row) for row in last.table.subjects]
    said = tuple(Spoken(name) for name in names)
    return f"Compare {joined(names)} on {piece.phrase}", said


def _is_an_axis(turn: Turn, piece: Fragment, last: Answer) -> bool:
    """Whether what is said without "on" is something to compare on: "and the cost?", "cost?"."""
    few = piece.phrase[:1].islower() and len(piece.phrase.split()) <= MOST_OF_AN_AXIS
    goes_on = piece.opened or not cue.subject_words(turn.text)
    thing = few and goes_on and not _NO_AXIS.search(piece.phrase)
    return thing and _sides_in(turn, last) is not None


_NO_AXIS = re.compile(
    r"\b(?:any\w*|it|its|th(?:ey|em|eir|is|at|ese|ose)|else|others?|one|again|please)\b"
    r"|\b(?:on|in|at|for|with|of|to|by)$",
    re.IGNORECASE,
)


RULES: tuple[tuple[str, Rule], ...] = (
    ("some of those shown, by their places", _side_by_side),
    ("what was spoken of last beside one of those shown", _beside_current),
    ("the one at that place", _by_place),
    ("the list just shown, by number or by name", _counted),
    ("some of the list just shown", _narrowed),
    ("the comparison before, with other sides", _edited),
    ("the comparison before, on something else", _on_another_axis),
)
"""What holds of several shown together, with the reason it gives."""
