"""What a question says before it asks: a change of topic, a correction, a return. Pure rules.

Texts are as `rag.text.fold` and `squeeze` leave them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.cue import has_predicate, subject_words, without_interjections

_MOST_OF_A_NAME = 4  # words

_CHANGES = re.compile(
    r"^\W*(?:(?:now|and now|let'?s|let us|for|on to|here is|here's|i have|a|an|about|to)\s+)*"
    r"(?:(?:talk about |ask )?(?:something|sth|anything) (?:(?:completely|totally|entirely"
    r"|quite) )?(?:different|else|new|unrelated)(?: now)?"
    r"|(?:completely |totally |entirely )?(?:different|new|unrelated|separate)"
    r" (?:question|topic|subject|matter|thing)"
    r"|(?:move on|(?:switch(?:ing)?|chang(?:e|ing))(?: of| the)? (?:topics?|subjects?|gears))"
    r"|(?:on )?(?:another|a different|an unrelated|a new) (?:topic|subject|note|matter)"
    r"|unrelated(?:ly)?|(?:forget|never ?mind|leave) (?:that|this|it|about (?:that|it))"
    r"|(?:eine )?(?:ganz )?(?:andere|neue) frage|(?:jetzt )?(?:mal )?(?:etwas"
    r"|was) (?:ganz )?anderes"
    r"|(?:anderes|neues) thema|themenwechsel|otr[ao] (?:pregunta|cosa|tema)|cambiando de tema"
    r"|autre (?:question|chose|sujet)|changeons de sujet|rien a voir|换个?(?:话题|问题)"
    r"|(?:另|再)(?:外)?(?:问)?一个(?:话题|问题))\s*[.,:;!?。，：-]+\s*",
    re.IGNORECASE,
)
_RETURNS = re.compile(
    r"^\W*(?:(?:so|and|but|now|let'?s|let me|can we|to|i want to)\s+)*"
    r"(?:(?:about|regarding|concerning|on|zu|sobre|sur)(?=.* (?:again|nochmal|otra vez|encore)\b)"
    r"|(?:back|return(?:ing)?|going back|go back|coming back|come back|zuruck|nochmal|noch mal"
    r"|volviendo|vuelvo|pour (?:en )?revenir|revenons)\s+(?:to|on|zum?r?|al?|aux?|a la)"
    r"|回到|再说说?)\s*"
    r"(?P<target>[^,.:;?!，。：？]{1,120}?)\s*(?:[,.:;?!，。：？]+\s*|\s-+\s|$)(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_NO = re.compile(
    r"^\W*(?:(?:oh|ah|hm+|uh+|um+|er+|ok|sorry|oops|wait|actually|well|excuse me|entschuldigung"
    r"|perdon|pardon|desole)[\s,.!:;-]*)*(?:(?:no|nope|nah|nein|nee|non|不是?|不对)(?=[\s,.!:;，。-])"
    r"(?! (?:of|one|paper|way)\b)[\s,.!:;，。-]*)?(?:(?:sorry|wait|actually)[\s,.!-]*)*",
    re.IGNORECASE,
)
_REFUSES = re.compile(r"(?:no|nope|nah|nein|nee|non)\W*[,.!:;-]|不|(?:sorry|wait|oops)\W*$", re.I)
_NOT_THAT = re.compile(
    r"^(?:not (?:that|this|the (?:same|first|last))(?: (?:one|paper|model|system))?"
    r"|(?:that'?s|that is|this is|it'?s) not (?:it|(?:what|the (?:one|paper)(?: that)?) i"
    r" (?:meant?|asked(?: for| about)?|was asking about|wanted)\b)"
    r"|wrong (?:one|paper|model|system)|nicht (?:das|dies\w*|die)|pas (?:celui|celle|ca)"
    r"|no (?:ese|esa|eso))[\s,.!:;-]*(?:but |sondern |sino |mais )?",
    re.IGNORECASE,
)
_MEANT = re.compile(
    r"\b(?:i (?:actually |really |rather )?(?:meant|was (?:asking|talking|thinking) (?:about|of))"
    r"|i mean(?= (?:the|that)\b)|i mean(?! )|meant|ich mein(?:t)?e?|je (?:voulais dire"
    r"|parlais d[eu])"
    r"|(?:me referia|me refiero) al?|quise decir|queria decir)\b[\s,:]*|我(?:说|指|问)的是|我是说",
    re.IGNORECASE,
)
_I_MEAN = re.compile(r"^i mean\b[\s,:]*", re.IGNORECASE)
_PIECE = re.compile(
    r"\s*(?:[.?!;:。？！；：](?=\s|$|[\u3040-\u9fff])|\s-+\s"
    r"|[,，](?=\s*(?:and |but |so )?(?:what|which|who|how|why|when|where|is|are|was|does|do|did|can"
    r"|wie|was|welche|wer|quel|comment|combien|cuant|como|que)\b))\s*",
    re.IGNORECASE,
)
_REFERS = re.compile(
    r"^(?:the|that|those|our|die|das|der|den|dem|el|la|los|las|le|les|celui|celle)\b.*"
    r"|.*\b(?:one|ones|papers?|study|work|arbeit|articulo|article)$",
    re.IGNORECASE,
)


_ASKS_FIRST = re.compile(
    r"(?:what|which|who|whose|how|why|when|where|is|are|was|were|does|do|did|has|have|had|can)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Aside:
    """A question that first says which paper it is about."""

    target: str  # what is said of the paper; empty if only the question is put right
    rest: str  # the question that follows; empty if none does


def after_a_change(text: str) -> str | None:
    """What is asked after "ok something different."; None where no change of topic is announced.

    >>> after_a_change("ok something different. does it snow?")
    'does it snow?'
    """
    rest = without_interjections(text)
    found = _CHANGES.match(rest)
    return rest[found.end() :].strip() or None if found else None


def returning(text: str) -> Aside | None:
    """The paper that "Back to the GaLore one: which optimizer?" goes back to, and the question."""
    found = _RETURNS.match(without_interjections(text))
    if not found:
        return None
    target = re.sub(r" (?:again|nochmal|otra vez|encore)$", "", found["target"].strip(), flags=re.I)
    return Aside(target, found["rest"].strip())


def correction(text: str) -> Aside | None:
    """What "no, I meant the vision one. how big?" puts right.

    >>> correction("no sorry, I meant the MoE paper. how many languages?")
    Aside(target='the MoE paper', rest='how many languages?')
    >>> correction("hm no, the vision one I meant, nothing but integers")
    Aside(target='the vision one, nothing but integers', rest='')
    """
    no = _NO.match(text)
    said = text[no.end() :] if no else text
    refused = bool(no and _REFUSES.search(no[0]))
    not_that = _NOT_THAT.match(said)
    body = said[not_that.end() :] if not_that else said
    if no and no[0].strip():
        body = _I_MEAN.sub("", body)
        refused = refused or len(body) < len(said)
    meant = _MEANT.search(body)
    if meant and not body[: meant.start()].strip(" ,.!:;-"):
        body = body[meant.end() :]
    elif meant and _REFERS.match(body[: meant.start()].strip(" ,.")):
        after = body[meant.end() :].strip()
        body = ", ".join(part for part in (body[: meant.start()].strip(" ,"), after) if part)
    elif not not_that and not (refused and _is_a_thing(_first_piece(body).target)):
        return None
    return _first_piece(body)


_NOT_BUT = re.compile(
    r"^\W*(?:no|nope|sorry|nein|non)?[\s,]*(?:i said |i meant )?(?:not|nicht|pas)"
    r" (?:for |on |in |with )?(?P<wrong>[^,;.]{1,60}?)[,;.]? (?:but |sondern |mais |sino )?"
    r"(?:for |on |in |with )?(?P<right>[^,;?]{1,60}?)[?.!]?$",
    re.IGNORECASE,
)


def replacement(text: str, asked: str) -> tuple[str, str] | None:
    """What of the question *asked* is put right by "no, not CIFAR, Path-X", and by what.

    >>> replacement("no, not on CIFAR, Path-X", "accuracy on CIFAR?")
    ('CIFAR', 'Path-X')
    """
    found = _NOT_BUT.match(text)
    held = found is not None and f" {found['wrong'].lower()}" in f" {asked.lower()}"
    return (found["wrong"], found["right"]) if found and held else None


def _is_a_thing(text: str) -> bool:
    """Whether *text* can be what was meant: "the other paper", "OpenELM"."""
    few = 0 < len(text.split()) <= _MOST_OF_A_NAME and bool(subject_words(text))
    return bool(_REFERS.match(text)) or (few and not has_predicate(text))


def _first_piece(text: str) -> Aside:
    """*text* cut where a question of its own begins."""
    found = _PIECE.search(text)
    target, rest = (text[: found.start()], text[found.end() :]) if found else (text, "")
    if _ASKS_FIRST.match(target):  # "no, I meant how many layers"
        return Aside("", text.strip())
    return Aside(target.strip(" ,.?!-"), rest.strip() if _asks(rest) else "")


def _asks(text: str) -> bool:
    return has_predicate(text) or ("?" in text and len(text.split()) > 1)
