"""Models that answer from the abstracts in their prompt: truthfully, or wrong in one known way.

A prompt has its papers between fences, `<paper n="1">`, a line `Title: …`, sentences `[1.1] …`,
`</paper>`; what is missing of that is done without. Nothing here knows any paper: each kind of
error is a rule that changes one sentence, and says where it finds nothing to change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.scripted import Act, Request, say

_FENCE = re.compile(
    r"<paper\b[^>]*?\bn\s*=\s*[\"']?(\d+)[\"']?[^>]*>(.*?)(?:</paper>|(?=<paper\b)|\Z)", re.S | re.I
)
_TITLE = re.compile(r"^\s*title\s*[:=]\s*(.+)$", re.M | re.I)
_LABEL = re.compile(r"\[\d+[.:]\d+\]")
_WORD = re.compile(r"[a-z0-9]{3,}")
_NAME = re.compile(r"\b(?=[\w-]*[A-Za-z])[A-Z][A-Za-z0-9]*(?:[A-Z][\w-]*|-\d[\w.]*)\b")
_KIND = re.compile(r"[A-Z]+s?")  # an abbreviation, which names a kind of thing: LLMs, GPU
_NUMBER = re.compile(r"(?<![\w.,(-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w,]*\w)")


@dataclass(frozen=True)
class Fenced:
    """A paper as the prompt shows it."""

    n: int
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join((self.title, *self.sentences))


@dataclass(frozen=True)
class Written:
    """A sentence that a model writes, and what it was before it was made wrong."""

    text: str  # without markers, ends in a full stop
    cited: int
    original: str = ""  # the abstract's sentence
    kind: str = ""  # one of KINDS; empty for a true one

    def __str__(self) -> str:
        return f"{self.text.rstrip('. ')} [{self.cited}]."


def fenced(prompt: str) -> list[Fenced]:
    """The papers in *prompt*, in its order; each number once."""
    found: dict[int, Fenced] = {}
    for number, body in _FENCE.findall(prompt):
        title = _TITLE.search(body)
        rest = body[title.end() :] if title else body
        parts = _LABEL.split(rest) if _LABEL.search(rest) else re.split(r"\n|(?<=[.!?])\s+", rest)
        sentences = tuple(text for part in parts if (text := " ".join(part.split())))
        found.setdefault(
            int(number), Fenced(int(number), title[1].strip() if title else "", sentences)
        )
    return list(found.values())


def question(request: Request) -> str:
    """What is asked: the last message without its fences."""
    return " ".join(_FENCE.sub(" ", request.asked).split())


def relevant(request: Request) -> list[tuple[Fenced, str]]:
    """Each sentence with its paper, those first that share most words with the question."""
    wanted = set(_WORD.findall(question(request).lower()))
    pairs = [(paper, text) for paper in fenced(request.text) for text in paper.sentences]

    def shared(pair: tuple[Fenced, str]) -> float:
        words = set(_WORD.findall(pair[1].lower()))
        return -len(words & wanted) / (len(words) + 5) ** 0.5

    return sorted(pairs, key=shared)


def told(text: str) -> str:
    """*text* in the third person, as one who tells of a paper says it."""
    for first, third in _THIRD:
        text = re.sub(first, third, text)
    return text[:1].upper() + text[1:]


_THIRD = (
    (r"^(?:In this (?:paper|work),? |Here,? )?[Ww]e\b", "The authors"),
    (r"\bwe\b", "they"),
    (r"\b[Oo]ur\b", "their"),
    (r"^(?:This|The) (?:paper|work)\b", "The paper"),
)


# --- Twelve ways to be wrong --------------------------------------------------------------------
# Each takes a true sentence, its paper and all papers, and gives the wrong sentence with the number
# that it cites; None where it finds nothing to change.

Wrong = Callable[[str, Fenced, Sequence[Fenced]], "tuple[str, int] | None"]


def _number(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    found = _NUMBER.search(text)
    if not found:
        return None
    digits = found[0]
    first = next((place for place, letter in enumerate(digits) if letter in "123456789"), None)
    if first is None:  # a zero
        return _put(text, found, "3"), paper.n
    other = str((int(digits[first]) + 2) % 9 + 1)
    return _put(text, found, digits[:first] + other + digits[first + 1 :]), paper.n


_UNITS = {
    "%": " points",
    "percent": "points",
    "ms": "s",
    "seconds": "minutes",
    "minutes": "hours",
    "hours": "days",
    "days": "weeks",
    "MB": "GB",
    "GB": "MB",
    "TB": "GB",
    "million": "billion",
    "billion": "million",
    "trillion": "billion",
    "thousand": "million",
    "B": "M",
    "M": "B",
    "K": "M",
    "k": "M",
    "x": "%",
    "×": "%",
    "times": "percent",
    "tokens": "documents",
    "layers": "heads",
    "GPUs": "clusters",
}
_UNIT = re.compile(rf"(?<=\d)([ -]?)({'|'.join(map(re.escape, _UNITS))})(?![A-Za-z])")


def _unit(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    found = _UNIT.search(text)
    return found and (_put(text, found, found[1] + _UNITS[found[2]]), paper.n)


def _name(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    found = next((name for name in _NAME.finditer(text) if not _KIND.fullmatch(name[0])), None)
    if not found:
        return None
    every = (name for other in papers for name in _NAME.findall(other.text))
    others = [name for name in every if not _KIND.fullmatch(name)]
    fresh = (name for name in others if name not in text and found[0] not in name)
    return _put(text, found, next(fresh, "Quorvex-9")), paper.n


_OPPOSITES = dict(
    pair.split("/")
    for pair in """increases/decreases increase/decrease increased/decreased increasing/decreasing
    improves/worsens improve/worsen improved/worsened improving/worsening reduces/increases
    reduce/increase reduced/increased reducing/increasing lowers/raises lower/higher higher/lower
    more/less fewer/more faster/slower slower/faster better/worse larger/smaller smaller/larger
    outperforms/underperforms outperform/underperform outperforming/underperforming rises/falls
    falls/rises gains/losses above/below strong/weak efficient/inefficient accelerates/slows
    decreases/increases decrease/increase decreased/increased saves/wastes longer/shorter
    shorter/longer cheaper/dearer doubles/halves halves/doubles high/low low/high
    accelerate/slow achieves/misses efficiently/inefficiently""".split()
)
_OPPOSITE = re.compile(rf"\b({'|'.join(_OPPOSITES)})\b")


def _direction(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    found = _OPPOSITE.search(text)
    return found and (_put(text, found, _OPPOSITES[found[0]]), paper.n)


_VERB = re.compile(r"\b(is|are|was|were|can|will|has|have|does|do|could|should|must)\b(?! not)")
_ACTS = re.compile(
    r"\b([Ww]e|[Tt]hey|It|The authors) (present|propose|introduce|show|find|develop|study|train|"
    r"use|evaluate|demonstrate|describe|build|report|achieve|observe|release)\b"
)


def _negation(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    if found := _VERB.search(text):
        return _put(text, found, f"{found[0]} not"), paper.n
    found = _ACTS.search(text)
    return found and (_put(text, found, f"{found[1]} do not {found[2]}"), paper.n)


_AGAINST = re.compile(
    r"(?:(?<=^)|(?<= that ))((?! |that )(?:(?! that | will ).){3,80}?)"
    r" ((?:\w+ly )?(?:outperform|surpass|exceed|beat|replace|improve[sd]? (?:on|over)|extend|teach|"
    r"guide|enable|require|precede|follow)(?:e?s|ed)?)"
    r" (.{3,120}?)(?= (?:by|on|in|with|at|for|while|and|without|to)\b|,|\.$)"
)


_RELATION = re.compile(
    r"\b(?:than|over|from|into|by|with|using|outperforms?|surpass(?:es)?|exceeds?|via|on)\b"
)


def _roles(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    found = _AGAINST.search(text)
    if found:
        one, verb, other = found.groups()
        other = other if found.start() else _upper(other)
        return _put(text, found, f"{other} {verb} {_lower(one)}"), paper.n
    names = list(_NAME.finditer(text))
    for one, other in pairwise(names):
        between = text[one.end() : other.start()]
        if one[0] != other[0] and _RELATION.search(between) and not re.search(r"[.;(]", between):
            tail = text[other.end() :]
            return text[: one.start()] + other[0] + between + one[0] + tail, paper.n
    return None


_WIDER = {
    "up to": "always",
    "some": "all",
    "several": "all",
    "many": "all",
    "most": "all",
    "often": "always",
    "sometimes": "always",
    "usually": "always",
    "typically": "always",
    "can": "always",
    "may": "will always",
    "on average": "in every case",
    "nearly": "more than",
    "almost": "more than",
}
_WIDE = re.compile(rf"(?<!the )\b({'|'.join(_WIDER)})\b")


def _scope(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    if found := _WIDE.search(text):
        return _put(text, found, _WIDER[found[0]]), paper.n
    return f"{text.rstrip('. ')}, for every model and in every setting.", paper.n


def _wrong_paper(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    words = set(_WORD.findall(text.lower()))
    others = [other for other in papers if other.n != paper.n and text not in other.text]

    def likeness(other: Fenced) -> int:
        return len(words & set(_WORD.findall(other.text.lower())))

    return (text, max(others, key=likeness).n) if others else None


def _no_paper(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    return text, max(other.n for other in papers) + 4


def _title(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    made_up = "Patient Lattices: A Second Look at Steady Inference"
    return f"According to “{made_up}”, {_lower(text)}", paper.n


_DETAILS = (
    "on a cluster of 96 machines in Tampere",
    "after eleven weeks of training on Norwegian court records",
    "with a vocabulary of 71,300 entries",
)


def _detail(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    more = _DETAILS[len(text) % len(_DETAILS)]
    return f"{text.rstrip('. ')} {more}.", paper.n


_KNOWN = (
    "The Transformer architecture was introduced in 2017 by a team at Google.",
    "The capital of Australia is Canberra, not Sydney.",
    "AlexNet won the ImageNet challenge of 2012 by a wide margin.",
    "Water boils at 100 degrees Celsius at sea level.",
)


def _world(text: str, paper: Fenced, papers: Sequence[Fenced]) -> tuple[str, int] | None:
    shown = " ".join(other.text for other in papers).lower()

    def unseen(fact: str) -> bool:
        words = re.findall(r"[a-z]{6,}", fact.lower())
        return sum(word in shown for word in words) <= 1

    return next(((fact, paper.n) for fact in _KNOWN if unseen(fact)), None)


def _put(text: str, found: re.Match[str], other: str) -> str:
    return text[: found.start()] + other + text[found.end() :]


def _lower(text: str) -> str:
    """*text* as it goes on within a sentence: names keep their capitals."""
    first = text.split(" ", 1)[0]
    return text if _NAME.match(first) or first == "I" else text[:1].lower() + text[1:]


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


WRONG: dict[str, Wrong] = {
    "number changed": _number,
    "unit changed": _unit,
    "name swapped": _name,
    "direction flipped": _direction,
    "negation added": _negation,
    "roles swapped": _roles,
    "scope widened": _scope,
    "wrong paper cited": _wrong_paper,
    "missing paper cited": _no_paper,
    "title made up": _title,
    "detail added": _detail,
    "world knowledge": _world,
}
KINDS = tuple(WRONG)
"""The twelve kinds of hallucination."""


def lies(kind: str, request: Request) -> Iterator[Written]:
    """The sentences of *kind* that can be made of the prompt, the most relevant first."""
    papers = fenced(request.text)
    for paper, text in relevant(request):
        made = WRONG[kind](told(text), paper, papers)
        if made and made[0] + str(made[1]) != told(text) + str(paper.n):
            yield Written(made[0], made[1], text, kind)


# --- Scripts --------------------------------------------------------------------------------------


def truthful(count: int = 2, paraphrased: bool = False, **how) -> Callable[[Request], Act]:
    """Answer with the *count* most relevant sentences, cited, word for word or in the third person.

    The rest is as in `say`. Without papers in the prompt, says that it knows nothing.
    """

    def script(request: Request) -> Act:
        best = relevant(request)[:count]
        written = [
            str(Written(told(text) if paraphrased else text, paper.n, text)) for paper, text in best
        ]
        return say(" ".join(written) or "The papers do not say.", **how)

    return script


def hallucinating(kind: str, truths: int = 1, keep=None, **how) -> Callable[[Request], Act]:
    """Answer with *truths* true sentences and then one that is wrong as *kind* says.

    What was written goes to *keep*, a list, if given. Where nothing of the kind can be made of the
    prompt, only the truth is said.
    """

    def script(request: Request) -> Act:
        lie = next(lies(kind, request), None)
        best = [pair for pair in relevant(request) if lie is None or pair[1] != lie.original]
        written = [Written(text, paper.n, text) for paper, text in best[:truths]]
        written += [lie] if lie else []
        if keep is not None:
            keep.extend(written)
        return say(" ".join(map(str, written)) or "The papers do not say.", **how)

    return script
