"""What is left of a question when its asking words are gone, cut into clauses.

"mention RLHF and report a human evaluation, but not surveys" are three: verbs and "and" join what
must all hold, "or" and commas what is one of several, and "but not" rules out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from rag.listing.bounds import amount_asked
from rag.listing.brought import BROUGHT_NOUN, brought, kind_clauses, singular_of
from rag.listing.criteria import Amount, Brings, Clause, Field, IsKind, Words
from rag.listing.joints import IDLE, OR, QUOTED
from rag.listing.kinds import BROUGHT, kind_asked
from rag.listing.mentions import BESIDE_NAME, form_of, mentioned, used
from rag.listing.predicates import AND_VERB, NEGATIVE, SEVERAL_VERBS, VERB
from rag.listing.subjects import subject, topic
from rag.names import is_name_like
from rag.text import squeeze

_WHERE = re.compile(
    r"\b(?:in|within) (?:(?:the|their|its|his) )?(?P<where>titles?|abstracts?|names?)\b"
    r"|\b(?P<head>titles?|abstracts?)(?: that)? (?=contain|with|has|have|mention|say|name|includ"
    r"|start|begin)",
    re.IGNORECASE,
)
_KIND_ASIDE = re.compile(
    r"^\W*(?:except(?: for)?|excluding|other than|apart from|besides|not counting|leaving out) "
    r"(?P<kind>[\w -]{4,30}?),? (?:(?:that|which|who) |(?=on\b|about\b|mention))",
    re.IGNORECASE,
)


def clauses(rest: str, question: str) -> Iterator[Clause]:
    """The clauses of *rest*, what is left of *question*.

    >>> [clause.negated for clause in clauses("mention GPT-4 but not GPT-3", "which papers …")]
    [False, True]
    """
    rest = _active(SEVERAL_VERBS.sub(lambda found: found["last"], rest))
    aside = _KIND_ASIDE.match(rest)
    if aside and (ruled_out := kind_asked(aside["kind"])):  # "except surveys, that mention X"
        yield Clause((IsKind(ruled_out[0].name),), negated=True)
        rest = rest[aside.end() :]
    kind = kind_asked(rest)
    is_noun = kind is not None and kind[0].name != "open release" and kind[1][0] == 0
    if kind and is_noun and VERB.match(rest[kind[1][1] :]):  # "surveys that mention X"
        yield Clause((IsKind(kind[0].name),))
        rest = squeeze(rest[kind[1][1] :])
    positive, *negative = NEGATIVE.split(rest)
    verb = VERB.match(positive)
    for number, part in enumerate(AND_VERB.split(positive)):
        yield from _clause(_with_verb(part, verb) if number and verb else part, question)
    for part in negative:
        # "mention A but not B": what is ruled out is ruled out in the same way
        part = _THE_ONES.sub("", part)
        before = "mention " if _IN_TEXT.search(positive) else verb[0] if verb else ""
        said = part if VERB.match(part) else f"{before}{part}"
        thing = singular_of(re.sub(r"^(?:the|any|all|new) ", "", part.lower().strip(" .?!")))
        if thing in BROUGHT:
            yield Clause((Brings(thing),), negated=True)
            continue
        if _GERUND.match(part) and not _GERUND.match(positive):  # "but not training recipes"
            said = f"{verb[0] if verb else 'about '}{part}"
        yield from (replace(clause, negated=True) for clause in _clause(said, question))


def _with_verb(part: str, verb: re.Match[str]) -> str:
    """*part* with the *verb* before it where it has none: "name T5 and also BERT"."""
    again = _NAMED_AGAIN.match(part)  # "evaluate on X and also on Y"
    if again and (again["name"][:1].isupper() or verb[0].rstrip().endswith(again["with"])):
        return f"{verb[0]}{again['name']}"
    bare = not (VERB.match(part) or kind_asked(part) or amount_asked(part, part))
    return f"{verb[0]}{part}" if bare and (verb["mention"] or verb["use"]) else part


_THE_ONES = re.compile(
    r"^(?:(?:the|those|any|all) )?(?:ones|papers|those|works)(?: (?:that|which|with|who))? ",
    re.IGNORECASE,
)
_NAMED_AGAIN = re.compile(r"^\W*(?P<with>on|with|for|against|to|about|of) (?P<name>.+)$")
_GERUND = re.compile(r"^\W*[a-z]+ing [a-z]", re.IGNORECASE)
_PASSIVE_VERBS = {
    "mentioned": "mention", "named": "mention", "cited": "mention", "used": "use",
    "discussed": "discuss", "evaluated on": "evaluate on", "introduced": "introduce new",
    "proposed": "propose new", "released": "release new", "presented": "present new",
    "contributed": "contribute new", "created": "create new", "employed": "use", "applied": "use",
    "reported": "mention", "evaluated": "use", "tested": "use", "covered": "discuss",
}  # fmt: skip
_PASSIVE = re.compile(
    rf"^(?P<what>.+?) (?:(?:is|are|was|were|be|being|gets?) )*(?P<verb>{'|'.join(_PASSIVE_VERBS)})"
    r"(?: (?:across|in|by|here)\b(?: (?:the|all|these|this|our|any(?:body|one)?|people|others?)"
    r"(?: (?:of (?:the|these) )?(?:papers?|abstracts?|collection|corpus))?)?)*(?P<more>(?:"
    r" (?:for|of|about|on) .+)?)$",
    re.IGNORECASE,
)


_APPEARS = re.compile(
    r"^(?P<what>\S.{0,80}?) (?:appears?|occurs?|(?:turn|come|show|pop|crop)s? up|gets? mentioned"
    r"|(?:can|may|could|is|are) (?:to )?(?:be )?(?:found|seen|read|spotted|present"
    r"|mentioned))(?: in)?$",
    re.IGNORECASE,
)


_IS_A_THING = re.compile(  # "(papers that) ship as a Python package"
    r"^(?:(?:whose )?(?:(?:main|only|key|primary|central|chief) )?(?:contribution|outcome|product"
    r"|result) is )?(?:(?:are|is|or|and|themselves|actually|ships?|comes?|packaged|offered"
    r"|distributed|available"
    r"|released) )*(?:as )?(?:an?|their own) (?P<what>(?:[\w/+#-]+ ){0,4}?(?:package|library"
    r"|toolkit"
    r"|tool|benchmark|dataset|data set|corpus|framework|software|leaderboard)\b.*)$",
    re.IGNORECASE,
)


def _active(rest: str) -> str:
    """ "benchmarks introduced here for code" as "introduce new benchmarks for code"."""  # noqa: D210
    if appears := _APPEARS.match(rest):  # "(in which papers does) ImageNet appear"
        return f"mention {appears['what']}"
    if thing := _IS_A_THING.match(rest):
        return f"introduce new {thing['what']}"
    found = _PASSIVE.match(rest)
    if not found or VERB.match(rest):
        return rest
    verb = _PASSIVE_VERBS[found["verb"].lower()]
    if verb == "use" and _WORD_ITSELF.match(found["what"]):  # "the term X is used"
        verb = "mention"
    return squeeze(f"{verb} {found['what']}{found['more']}")


_WORD_ITSELF = re.compile(
    r"(?<!\w)(?:the )?\b(?:words?|terms?|phrases?|expressions?|acronyms?"
    r"|abbreviations?)\b",
    re.IGNORECASE,
)


def _clause(part: str, question: str) -> Iterator[Clause]:
    """One predicate with its object, as one clause or more."""
    starting = _at_start(part, "any")
    if starting:
        yield starting
        return
    told = bool(_IN_TEXT.search(part) or _WORD_ITSELF.match(part))
    where, part = _field(part)
    part = squeeze(IDLE.sub(" ", part))
    verb = VERB.match(part)
    rest = part[verb.end() :] if verb else part
    negated = bool(verb and verb["not"])
    amount = amount_asked(part, question)
    if amount:
        yield from _amount(amount, part, question, negated=negated)
        return
    kind = kind_clauses(part, where)
    if verb and verb["mention"] and not (kind and verb["mention"].lower().startswith("sa")):
        exact = bool(_WORD_ITSELF.search(part))
        made = mentioned(rest, Words((), where, exact=exact))
    elif QUOTED.search(rest) and not (verb and verb["use"]):
        made = mentioned(rest, Words((), where))
    elif kind:
        made = kind
    elif (verb and (verb["bring"] or NEW_THING.match(rest))) or (
        not verb and BROUGHT_NOUN.match(rest)
    ):
        made = brought(rest)
    elif verb and verb["use"]:
        made = used(rest, where)
    elif verb and verb["about"].lower() in _HOLDING and _is_named(rest):  # "with T5 as the base"
        made = mentioned(BESIDE_NAME.sub("", rest), Words((), where, used=True))
    elif told or where != "any":
        made = mentioned(rest, Words((), where))
    else:
        made = topic(rest)
    yield from (replace(clause, negated=negated or clause.negated) for clause in made)


NEW_THING = re.compile(r"^(?:an?|their|its) (?:brand-)?(?:new|novel|own) ", re.IGNORECASE)
_HOLDING = frozenset("with in from".split())


def _is_named(rest: str) -> bool:
    return any(is_name_like(word) for word in rest.split()[:2])


def _amount(
    amount: tuple[Amount, str], part: str, question: str, *, negated: bool
) -> Iterator[Clause]:
    """A clause for *amount*, with what is left of *part*: a second one, a kind, or a subject."""
    found, left = amount
    before = None if left else _TOLD_BEFORE.match(part)
    if before and (before["on"] or not VERB.match(part)):
        again = amount_asked(part[before.end() :], question) or amount
        found, left = again[0], before["topic"]
    yield Clause((found,), negated)
    if amount_asked(left, left):  # "over 7B parameters trained on over 1T tokens"
        yield from _clause(left, left)
    else:
        yield from kind_clauses(left, "any") or subject(left)


_TOLD_BEFORE = re.compile(  # "on LLM serving that give gains of over 2x"
    r"^\W*(?P<on>(?:on|about|for|regarding) )?(?P<topic>[^,\d]+?),? (?:that|which|with|where|who"
    r"|reporting|achieving|claiming|giving|showing)\b",
    re.IGNORECASE,
)
_IN_TEXT = re.compile(r"\bin (?:the|their|its) (?:abstracts?|titles?|text)\W*$", re.IGNORECASE)
_STARTS = re.compile(
    r"^\W*(?:(?:whose|with|have|has|having|a|the|an|in|that|which) )*(?:(?P<what>titles?|abstracts?"
    r"|names?) )?(?:(?:that|which|to) )?(?P<not>(?:do|does|don't|doesn't) ?(?:not )?)?"
    r"(?:starts?|begins?|starting|beginning) (?:out )?with\b"
    r"(?: (?:the|an?))?(?: (?:words?|phrase|term|letters?))?(?P<object>.+)$",
    re.IGNORECASE,
)
_MOST_WORDS_AT_START = 3  # more of them, not quoted, tell how something is done


def _at_start(part: str, where: Field) -> Clause | None:
    """What the title or the abstract begins with, if *part* asks for that."""
    found = _STARTS.match(part)
    if not found:
        return None
    said = found["object"]
    quoted = [double or single for double, single in QUOTED.findall(said)]
    names = quoted or list(filter(None, map(form_of, OR.split(said))))
    named = found["what"] or where == "title" or quoted or said.strip()[:1].isupper()
    if not names or not named or any(len(name.split()) > _MOST_WORDS_AT_START for name in names):
        return None
    field: Field = "any" if (found["what"] or "").lower().startswith("abstract") else "title"
    wanted = Words(tuple((name,) for name in names), field, at_start=True, exact=True)
    return Clause((wanted,), negated="n't" in (found["not"] or "") or "not" in (found["not"] or ""))


def _field(part: str) -> tuple[Field, str]:
    """Where the words must stand, and *part* without saying so."""
    found = _WHERE.search(part)
    if not found:
        return "any", part
    said = (found["where"] or found["head"]).lower()
    where: Field = "title" if said.startswith(("title", "name")) else "any"
    return where, squeeze(f"{part[: found.start()]} {part[found.end() :]}")
