"""The words of a question that only ask for papers, told from what they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.listing.plural import asks_for_list
from rag.listing.wording import either
from rag.text import squeeze

_PIECE = re.compile(r"(?<=[.?!;])\s+|\s+(?:-|--)\s+|(?<=\?)(?=\S)")
_COLLECTION = either("collection corpus library set list")
_LITERATURE = either("papers? abstracts? works studies articles publications preprints titles?")
_ONLY_ASKING = either(
    "and so but then please also thanks thank_you which what ones? who list name give tell show",
    "me all of them the are is they those these there how many names? in this here collection",
    "corpus for i i'd i'm like want need would to see know have a full complete with its? too if",
    "any you can do exactly count benchmarks? only just each one from by y e et und ey careful",
    "mind note note_that version egal cuales quels lesquels welche quali quais not i\\.e\\.? that",
    "thing things every single last",
    _LITERATURE.replace(" ", "_"),
)
ONLY_ASKS = re.compile(rf"^\W*(?:{_ONLY_ASKING}\b\W*)+$", re.IGNORECASE)
REMARK = re.compile(
    r"\b(?:do|does)(?:n't| not) count\b"
    r"|\bis (?:a )?(?:different|another|not (?:the same|it|meant))\b"
    r"|\bare (?:different|other|not (?:the same|meant))\b"
    r"|^\W*(?:careful|mind|beware|note|not|no|(?:i )?don'?t mean|excluding|ignor(?:e|ing)|without"
    r"|except|leave out|skip|only|just)\b"
    r"|\b(?:is|are) (?:enough|fine|ok(?:ay)?|sufficient)\b|\bwill do\b|\bsuffices\b"
    r"|\bnot meant\b|\b(?:is|are) out\b|\bnot enough\b|n't enough\b|\bdo(?:es)?(?:n't| not)"
    r" (?:qualify|suffice)\b",
    re.IGNORECASE,
)


def pieces(text: str) -> tuple[str, list[str]]:
    """What asks, and the remarks beside it; pieces that only ask once more are dropped.

    >>> pieces("How many papers mention T5? Careful, CodeT5 is different. All of them, please.")
    ('How many papers mention T5?', ['Careful, CodeT5 is different.'])
    """
    parts = [part.strip() for part in _split_outside_brackets(text) if part.strip()]
    said = [part for part in parts if not ONLY_ASKS.match(part)] or parts[:1]
    remarks = [part for part in said[1:] if REMARK.search(part)]
    rest = [said[0], *(part for part in said[1:] if not REMARK.search(part))] if said else [text]
    asking = [part for part in rest if asks_for_list(part)]
    main = asking[0] if asking else rest[0]
    if main is not rest[0] and ONLY_ASKS.match(unframed(main) or "which"):
        main = rest[0]  # "I read up on the KV cache. Which papers are there?"
    return main, remarks


def _split_outside_brackets(text: str) -> Iterator[str]:
    start = 0
    for cut in _PIECE.finditer(text):
        before = text[start : cut.start()]
        if before.count("(") > before.count(")") or before.count('"') % 2:
            continue
        yield before
        start = cut.end()
    yield text[start:]


_INTERESTED = either(
    "looking_for after reading_up_on interested_in collecting searching_for writing_about"
)
_LEADING = either(
    "hi hello hey please pls ok so and also now well then can_you could_you would_you do_you_know",
    "i_wonder show give gimme tell find list get enumerate collect count number_of",
    "the_number_of me us",
    "which what wich how_many how_often all any every each the of these those your our others?",
    "more(?!_than) further some several in_which in_what in_how_many is_there are_there",
    "do_you_have have_you_got do_we_have what_is_there what's_there there is are was were do does",
    "did have has you we here who whose whom else actually really even anyone anybody everyone",
    "everybody everything evrything anything whatever something besides in_here ones? single",
    "papers? papers' paper's abstracts?(?!_(?:start|begin)) abstract's abstracts' articles?",
    "publications? preprints? teams people groups that which where(?:in)? they it contained got",
    "than_one",
    "different single multiple numerous various plenty_of lots_of a_lot_of",
    "things? to_read can_i_read between_them at_all",
)
_LEADING_BEFORE = either(  # words that only ask where this follows
    r"name(?=_(?:all|every|the|me|some)) been(?=_[a-z]+(?:ed|en)_) written(?=_(?:about|on))",
    r"works(?=_(?!better|best|well|like)[a-z]) works?(?=_(?:where|in_which|that|which|who|on"
    r"|about|use|mention|do|here|are|in|compare|deal|propose)\b)",
    r"studies(?=_) study(?=_that) authors(?!_of) titles?(?=_(?:that|which|of)) new(?=_papers)"
    r" them(?=_[a-z])",
    r"just(?=_) recent(?=_papers) relevant(?=_papers) \d[\d,]*(?=_(?:papers|abstracts))",
)
_LEAD = re.compile(
    rf"^\W*(?:(?:i'?m {_INTERESTED}|i am {_INTERESTED}|{_LEADING_BEFORE}"
    r"|i(?:'d| would) like(?: to (?:see|have|know|read))?|i (?:need|want)(?: to (?:see|know|read))?"
    rf"|(?:in|from) (?:this|the|your) {_COLLECTION}|{_LEADING})\b[\s,:]*(?:'s?\s+)?)+",
    re.IGNORECASE,
)
_TRAILING = either(
    "please pls thanks which what ones? and them all of list here in_here for_me too do_you_have",
    "are_there have_you_got is_there there etc and_so_on or_so at_all exactly again everywhere",
    "anywhere somewhere who whose you_have you_got available in_total altogether overall",
    "(?:the_)?(?:whole_)?lot whatever_(?:there_is|(?:you|we)_(?:have|hold|own|got))",
    "any_?one any_?body titles_(?:only|please|pls) used_where list_pls (?:which|what)_projects",
    "though and_which which_are_they and_which_are_they so_far right_now roughly approximately",
)
_TRAIL = re.compile(
    rf"(?:[\s,:;.?!-]+(?:in (?:this|the|your) {_COLLECTION}|{_TRAILING}"
    r"|(?:which|what|any|the|other) (?:works|studies|articles|publications)"
    r"|(?:(?:which|what|any|the|other) )?(?:papers|abstracts)"
    r"))+[\s?!.,:;-]*$|[\s?!.,:;-]+$",
    re.IGNORECASE,
)
_INNER = re.compile(
    r"(?<=\w) (?:papers|abstracts)(?= (?:on|about|that|of|with|for|in|which|who|whose)\b|$)"
    r"|\b(?:whose|where|in which|of which) (?:the )?(?:abstracts?|titles?|authors)\b"
    r"(?! (?:start|begin))|^(?:an?|the) (?=paper|abstract)",
    re.IGNORECASE,
)


def unframed(text: str) -> str:
    """*text* without the words that only ask for papers.

    >>> unframed("Can you list all papers in the collection that mention LoRA, please?")
    'mention LoRA'
    """
    lead = _LEAD.match(text)
    rest = text[lead.end() :] if lead else text
    trail = _TRAIL.search(rest)
    while trail and trail.start() > 0:
        rest = rest[: trail.start()]
        trail = _TRAIL.search(rest)
    return squeeze(_INNER.sub(" ", rest))
