"""Sentences of an abstract as exact character spans: the unit of evidence.

Rules rather than a trained model: abstracts are edited prose, and what trips a splitter in them
(citations, versions, addresses, LaTeX, system names in lower case, a space that was forgotten)
can be listed. A mark such as `.` or `?` ends a sentence unless a rule says otherwise, and nothing
is split inside brackets, quotation marks or formulas. Time grows linearly with the text: every
look back or ahead is bounded.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Literal, NamedTuple

from rag.types import Sentence

Kind = Literal["capital", "name", "small", "number", "formula", "item", "none"]

_LONGEST_GROUP = 500  # characters; brackets further apart were not meant as a pair
_LOOK_BACK = 48  # characters; longer than any abbreviation
_LONGEST_ADDRESS = 300  # characters; a longer one is taken for running text
_LONGEST_LABEL = 60  # characters
_LABEL_WORDS = 3

# Words are listed without their last full stop; a small first letter stands for both cases.
_NEVER_LAST = frozenset(
    "e.g i.e eg ie vs v.s cf c.f viz w.r.t wrt a.k.a aka s.t incl excl abbr e.v c.-à-d p.ex bzw "
    "vgl z.b d.h Mr Mrs Ms Dr Drs Prof St Mt Messrs".split()
)
# They end a sentence only before a word that commonly begins one.
_SELDOM_LAST = frozenset(
    "al etal resp approx ca esp ex sp spp ssp subsp var ed eds cit ibid Inc Ltd Co Corp Bros Jr "
    "Sr Univ Dept Inst Proc Trans Conf Symp Phys Rev Lett Appl Math Ann Adv Int Chem Soc Amer Nat "
    "Natl Acad Sci Comput Comm Commun Anal Nucl Astron Astrophys Biol Med Eng Jour Res Mag Ser "
    "Gen Col Capt Gov Ph.D".split()
)
# They do not end one before a number, a bracket or a formula.
_BEFORE_NUMBER = frozenset(
    "no nos fig figs FIG eq eqs eqn eqns sec secs sect tab tabs ref refs thm lem prop cor def rem "
    "alg vol vols ch chap chaps pp p v ver jan feb mar apr jun jul aug sep sept oct nov "
    "dec para par pt pts".split()
)
# They end one only before a capital.
_BEFORE_CAPITAL = frozenset(
    "etc min mins max avg hr hrs wk wks yr yrs mo wt ht temp dist freq conc dim deg rel abs geom "
    "acc ext vol sec secs".split()
)
_LOUD_NAMES = frozenset("yahoo jeopardy kahoot guesswhat compguesswhat o-dang".split())
# Words that commonly begin a sentence; adverbs in -ly are known by their ending.
_BEGINNERS = frozenset(
    "a about above across additionally after again against all along also alternatively although "
    "among an analogously and another any applied applying are as aside assuming at based because "
    "before being besides between beyond both building built but by can code compared comparing "
    "conclusion conclusions considering consequently contrary conversely current data datasets "
    "despite did do does due during each either empirical evaluated evaluating evaluation even "
    "every evidence existing experiment experimental experiments extensive few finally first five "
    "following for four from further furthermore given had has have having he hence here however "
    "human if importantly in indeed inspired instead into is it its last lastly later less "
    "leveraging like little many meanwhile methods models more moreover most motivated much my "
    "neither nevertheless next no none nonetheless nor not note nothing now numerical of often on "
    "once one only open or other others otherwise our out over overall part perhaps preliminary "
    "previous prior put rather recent related research researchers results second secondly several "
    "she similar simple since six so some still studies such surprisingly take ten than thanks "
    "that the their them then there thereby therefore these they third this those though three "
    "through throughout thus to today together too toward towards traditional training two under "
    "understanding unlike until up upon using various was we were what when whenever where whereas "
    "whether which while who whose why will with within without yet you your "
    "nous cette dans les le la une un il ces afin ainsi".split()
)
# In lower case they begin a sentence by a slip of the shift key, whatever stands before.
_SLIPS = frozenset("we our the this these it however moreover furthermore".split())
# First parts of dotted program names: in `torch.Tensor` no space was forgotten.
_PACKAGES = frozenset(
    "torch numpy scipy pandas sklearn keras tensorflow flax java javax system self this math json "
    "html django flask spark unity android microsoft google".split()
)
_HEADINGS = frozenset(
    "abstract aim aims and background conclusion conclusions context design discussion findings "
    "introduction limitations materials method methods motivation objective objectives "
    "participants patients purpose result results setting significance summary".split()
)

_MARK = re.compile(
    r"(?P<mark>[.!?…‽]+|[。！？｡．؟۔।]+)"
    r"(?P<closers>[)\]}\"'”’»」』）】›$]*(?: [”\"](?=\s))?)"
)
_WIDE = frozenset("。！？｡．؟۔।")  # need no space after them
_GROUP = re.compile(r"``|''|[()\[\]{}“”«»「」『』（）【】\"$]")
_PAIRS = {
    ")": "(", "[": "(", "]": "(", "}": "{", "”": "“", "»": "«", "''": "``",
    "」": "「", "』": "『", "）": "（", "】": "【",
}  # fmt: skip  # round and square are one kind, for the sake of half-open intervals
_OPENING = frozenset({"[", *_PAIRS.values()})
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_WORD_BREAK = re.compile(r"(?:[\s(\[{\"“‘«`~–—,;:]|-{2,})+")
_SPACE = re.compile(r"\s*")
_ITEM = re.compile(r"[(\[]?(?:\d{1,2}|[A-Za-z]|[ivx]{1,5}|[IVX]{1,5})\)\s|[*•●▪■◦‣–—-]\s+(?=[A-Z])")
_ITEM_BEFORE = re.compile(
    r"(?:^|[.:;?!]\s)\d{1,2}$|(?:^|[.:;?!]\s)\((?:\d{1,2}|[a-z]|[ivx]{1,4})\)$"
)
_ITEM_LAST = re.compile(r"\d{1,2}|(?:\d{1,2}|[a-z]|[ivx]{1,4})\)")
_ITEM_CLOSES = re.compile(r"(?:^|\s)(?:\d{1,2}|[A-Za-z]|[ivx]{2,4})$")
_INNER_END = re.compile(r"[.!?]\s")
_NEXT = re.compile(
    r"[\"'“‘«`(\[{*_#%¿¡「『（【\u200b\ufeff]{0,8}"
    r"(?P<token>[\\$]|[~∼≈<>+]?\d|[^\W\d_][\w.-]{0,40})"
)
_ROMAN = re.compile(r"[IVX]+\b|[A-Z]\b|[A-Z]?\d")
_DOTTED = re.compile(r"(?:\w+-)?(?:[^\W\d_]{1,2}\.-?)+[^\W\d_]{1,2}")
_SPACED_LATIN = frozenset({"i. e", "e. g", "i. i", "s. t"})
_NAME_IN_LOWER_CASE = re.compile(r"[a-z.-]*[A-Z0-9_]|[a-z]{1,2}-\w")
_SOLID = re.compile(r"(?:[a-zà-ÿ'’-]{4,}|.*[A-Z].*[A-Z].*|.*\d.*|.*[)\]%}”\"$])$")
_NOUN_THEN_LETTER = re.compile(r"\b([a-z]{3,})\s[A-Z]$")
_GLUED = re.compile(
    r"(?:\((?:\d|[ivx]{1,4})\) )?(?P<word>[A-Z][A-Za-z0-9]+|A(?=\s[a-z]))(?=[\s,:’'-]|\.\s)"
)
_WHOLE_WORD = re.compile(r"(?:.*[^\w.])?[a-zà-ÿ]{4,}$|.*\w{2}[)\]]$")
_ADDRESS = re.compile(r"://|www\.|[@\\/_`<>|]|::|\.[A-Za-z]\w*\.\w")


class _Next(NamedTuple):
    """What stands after a mark and white space, opening brackets and quotes left out."""

    at: int
    kind: Kind
    word: str = ""  # in lower case; empty unless it starts with a letter
    begins: bool = False  # a capitalised word that commonly begins a sentence


def spans(abstract: str) -> tuple[tuple[int, int], ...]:
    """Find the sentences of *abstract* as half-open character ranges.

    Ranges are in order, do not overlap, start and end on a character that is not white space, and
    together hold every such character. An empty or blank abstract has none.

    >>> text = "We present vLLM, cf. Fig. 3. vLLM is 3.5x faster (see e.g. Kwon et al. 2023)."
    >>> [text[start:end] for start, end in spans(text)]
    ['We present vLLM, cf. Fig. 3.', 'vLLM is 3.5x faster (see e.g. Kwon et al. 2023).']
    """
    cuts = sorted({0, len(abstract), *_cuts(abstract)})
    pieces = (_trimmed(abstract, start, end) for start, end in pairwise(cuts))
    return tuple(_joined(abstract, (piece for piece in pieces if piece[0] < piece[1])))


@lru_cache(maxsize=4096)  # a question asks for the same few abstracts' sentences again and again
def split(paper_id: str, abstract: str) -> tuple[Sentence, ...]:
    """Cut the abstract of paper *paper_id* into numbered sentences, in reading order."""
    return tuple(
        Sentence(paper_id, number, start, end, abstract[start:end])
        for number, (start, end) in enumerate(spans(abstract))
    )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return end - len(piece.lstrip()), start + len(piece.rstrip())


def _joined(text: str, pieces: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Give labels to the sentence they head, and pieces without a letter to their neighbour."""
    held: tuple[int, int] | None = None
    for start, end in pieces:
        piece = text[start:end]
        if held is None:
            held = (start, end)
        elif _heads(text[held[0] : held[1]], piece) or not _has_letters(piece):
            held = (held[0], end)
        else:
            yield held
            held = (start, end)
    if held is not None:
        yield held


def _has_letters(piece: str) -> bool:
    return len(piece) > _LONGEST_LABEL or any(map(str.isalnum, piece))


def _heads(piece: str, following: str) -> bool:
    """Whether *piece* only heads what follows: `2) Scalability.`, `Methods.` or a lone `"`."""
    if len(piece) > _LONGEST_LABEL:
        return False
    if item := _ITEM.match(piece):
        is_label = piece[-1] in ".:" and len(piece[item.end() :].split()) <= _LABEL_WORDS
        return is_label and not _ITEM.match(following)
    words = piece.rstrip(".:").lower().split()
    return not _has_letters(piece) or set(words) <= _HEADINGS


def _cuts(text: str) -> Iterator[int]:
    """Places where a sentence ends, in no particular order."""
    yield from (blank.end() for blank in _BLANK_LINE.finditer(text))
    groups = _groups(text)
    ends = [end for _, end in groups]
    for found in _MARK.finditer(text):
        at = found.end()
        group = bisect_left(ends, at + 1)
        inside = group < len(groups) and groups[group][0] < at
        if at < len(text) and not inside and _ends_sentence(text, found):
            yield at


def _groups(text: str) -> list[tuple[int, int]]:
    """Ranges in brackets, quotation marks or formulas: outermost ones, in order, half-open."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(_pairs(text)):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _pairs(text: str) -> Iterator[tuple[int, int]]:
    """Matching brackets and quotes not too far apart, each as a half-open range."""
    waiting: defaultdict[str, list[int]] = defaultdict(list)
    for found in _GROUP.finditer(text):
        sign, start, end = found[0], found.start(), found.end()
        opener = _PAIRS.get(sign, sign)
        near = bool(waiting[opener]) and end - waiting[opener][-1] <= _LONGEST_GROUP
        if sign in _OPENING:
            waiting[opener].append(start)
        elif near and _closes(text, sign, waiting[opener][-1], start):
            yield waiting[opener].pop(), end
        elif sign == opener and text[end : end + 1].strip() and _may_open(text, sign, start):
            waiting[sign] = [start]


def _closes(text: str, sign: str, start: int, at: int) -> bool:
    """Whether the *sign* at *at* closes what was opened at *start*."""
    before, after = text[at - 1], text[at + 1 : at + 2]
    if sign == ")" and _ITEM_CLOSES.search(text, max(0, at - 6), at):
        # The bracket of an enumeration, `2)`, unless it is the end of `(Table 2)`.
        return not _INNER_END.search(text, start, at)
    if sign == '"':
        stray = text[at - 2] in ".?!" and not after.strip()  # `so. " Then`
        return stray if before.isspace() else before not in "([{"
    if sign == "$":  # as in Markdown, so that two prices are no formula
        return not before.isspace() and not after.isdigit()
    return True


def _may_open(text: str, sign: str, at: int) -> bool:
    before = text[at - 1 : at] if at else " "
    return sign == "$" or before.isspace() or before in "([{/'`=-–—"


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    """Whether the mark *found*, outside any group, is the last of a sentence."""
    mark, end = found["mark"], found.end()
    if mark[0] in _WIDE:
        return text[end] not in "，、；：,;:" and not (mark == "．" and text[end].isdigit())
    word = _word_before(text, found.start())
    if not text[end].isspace():
        return len(mark) == 1 and _space_forgotten(text, found, word)
    following = _next(text, end)
    if following.kind == "none":
        return False
    if "?" in mark or "!" in mark:
        loud = word.lower() in _LOUD_NAMES
        return following.begins if loud else following.kind != "small"
    if len(mark) > 2 or "…" in mark:  # two full stops are a slip, three mean something left out
        return following.begins or (bool(word) and following.kind in {"capital", "item"})
    return _full_stop_ends(text, found, word, following)


def _word_before(text: str, at: int) -> str:
    return _WORD_BREAK.split(text[max(0, at - _LOOK_BACK) : at].rstrip("\"'”’`"))[-1]


def _next(text: str, end: int) -> _Next:
    space = _SPACE.match(text, end)
    at = space.end() if space else end
    if _ITEM.match(text, at):
        return _Next(at, "item")
    found = _NEXT.match(text, at)
    if not found:
        return _Next(at, "none")
    token = found["token"]
    if not token[0].isalpha():
        return _Next(at, "formula" if token in {"\\", "$"} else "number")
    word = token.rstrip(".-").lower()
    if token[0].islower():
        return _Next(at, "name" if _NAME_IN_LOWER_CASE.match(token) else "small", word)
    return _Next(at, "capital", word, word in _BEGINNERS or word.endswith("ly"))


def _listed(word: str, words: frozenset[str]) -> bool:
    """Whether *word* is in *words*, as it is or with its first letter made small."""
    return word in words or word[:1].lower() + word[1:] in words


def _full_stop_ends(text: str, found: re.Match[str], word: str, following: _Next) -> bool:
    """Whether the full stop *found* ends a sentence, *word* before and *following* after it."""
    at, kind = found.start(), following.kind
    if _is_item(text, at):
        return False
    if _listed(word, _NEVER_LAST) or text[max(0, at - 4) : at].lower() in _SPACED_LATIN:
        return following.begins and bool(found["closers"])
    if _listed(word, _BEFORE_NUMBER) and _is_number(text, following):
        return False
    if _listed(word, _BEFORE_CAPITAL):
        return kind in {"capital", "item"}
    if _listed(word, _SELDOM_LAST) or _DOTTED.fullmatch(word):
        return following.begins
    if len(word) == 1 and word.isalpha():
        return _letter_ends(text, at, following)
    if kind == "small":
        return _small_word_begins(word, found["closers"], following.word)
    return kind != "number" or not word.isdigit()


def _is_item(text: str, at: int) -> bool:
    """Whether the full stop at *at* belongs to `1.` or `(2).` in a list, not to `Fig. 3.`."""
    item = _ITEM_BEFORE.search(text, max(0, at - 12), at)
    word = _word_before(text, item.start()) if item else ""
    return item is not None and not _listed(word, _BEFORE_NUMBER | _NEVER_LAST | _SELDOM_LAST)


def _is_number(text: str, following: _Next) -> bool:
    """Whether *following* can be the number of a figure: `3`, `(3)`, `[3]`, `$k$`, `IV`, `S1`."""
    if following.kind in {"number", "formula"} or text[following.at] in "([":
        return True
    return _ROMAN.match(text, following.at) is not None


def _letter_ends(text: str, at: int, following: _Next) -> bool:
    """Whether a sentence ends after a single letter: `vitamin C. Patients`, not `J. Smith`."""
    if following.begins or text[at - 1].islower():
        return following.kind in {"capital", "item"}
    noun = _NOUN_THEN_LETTER.search(text, max(0, at - _LOOK_BACK), at)
    is_noun = noun is not None and noun[1] not in _BEGINNERS
    return is_noun and following.kind in {"capital", "item"}


def _small_word_begins(before: str, closers: str, word: str) -> bool:
    """Whether a sentence begins with *word* in lower case, after a full stop behind *before*."""
    if word in _SLIPS:
        return bool(before)
    odd = closers or word in _NEVER_LAST or _ITEM_LAST.fullmatch(before)
    return not odd and _SOLID.match(before) is not None


def _space_forgotten(text: str, found: re.Match[str], word: str) -> bool:
    """Whether two sentences touch at *found*, as in `results.We`, and not within a name."""
    glued = _GLUED.match(text, found.end())
    if not glued or _listed(word, _NEVER_LAST) or _is_address(text, found):
        return False
    begins = glued["word"].lower() in _BEGINNERS or glued["word"].endswith("ly")
    if begins and (len(word) > 1 or found["closers"]):
        return True
    return _WHOLE_WORD.match(word) is not None and word not in _PACKAGES


def _is_address(text: str, found: re.Match[str]) -> bool:
    """Whether the unspaced text around *found* is an address, a file or a program's name."""
    start, end = found.span()
    before = text[max(0, start - _LONGEST_ADDRESS) : start].rsplit(None, 1)
    after = text[end : end + _LOOK_BACK].split(None, 1)
    return _ADDRESS.search(f"{before[-1] if before else ''}.{after[0]}") is not None
