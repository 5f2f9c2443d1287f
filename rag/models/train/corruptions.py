"""Sentences made from a sentence: the same said otherwise, said wrongly, or with a detail too many.

What the claim checker learns beside hand-written claims. `lighten` keeps a sentence true,
`Corruptions` makes it false by one change of a known kind, `detailed` adds what its abstract does
not say. The kinds are those of `contradicted_kind` in the calibration data: number, direction,
negation, entity, role, scope. Every change is a change of words, so that which words are wrong is
known too (`changed`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TypeVar

import numpy as np

Chance = np.random.Generator
Span = tuple[int, int]
T = TypeVar("T")

# Two sides of a slash exclude each other in most sentences; both directions are used.
OPPOSITES = """
    more/less more/fewer better/worse higher/lower larger/smaller greater/smaller faster/slower
    stronger/weaker easier/harder longer/shorter deeper/shallower cheaper/costlier wider/narrower
    simpler/more_complex high/low large/small strong/weak easy/hard long/short good/poor rich/poor
    frequent/rare dense/sparse early/late top/bottom upper/lower best/worst most/least
    highest/lowest largest/smallest many/few increase/decrease increases/decreases
    increased/decreased increasing/decreasing improve/degrade improves/degrades improved/degraded
    improving/degrading improvement/degradation improvements/degradations gain/loss gains/losses
    reduce/increase reduces/increases reduced/increased reducing/increasing raise/lower
    raises/lowers raised/lowered boost/hurt boosts/hurts grow/shrink grows/shrinks rises/falls
    outperform/underperform outperforms/underperforms outperformed/underperformed
    outperforming/underperforming surpass/trail surpasses/trails surpassing/trailing
    exceed/fall_below exceeds/falls_below beats/loses_to superior/inferior positive/negative
    positively/negatively similar/different similarly/differently consistent/inconsistent
    significantly/barely substantially/only_slightly strongly/weakly effective/ineffective
    effectively/ineffectively efficient/inefficient robust/brittle accurate/inaccurate
    reliable/unreliable sufficient/insufficient possible/impossible important/unimportant
    successfully/unsuccessfully well/poorly encourages/discourages mitigates/worsens
    alleviates/aggravates helps/hinders accelerates/slows_down simple/complex close/far
    with/without including/excluding able/unable succeed/fail succeeds/fails enables/prevents
    likely/unlikely known/unknown seen/unseen always/never before/after agree/disagree
    supervised/unsupervised labeled/unlabeled labelled/unlabelled automatic/manual
    automatically/manually human/automatic global/local static/dynamic linear/non-linear
    explicit/implicit explicitly/implicitly online/offline jointly/separately joint/separate
    shared/separate encoder/decoder precision/recall source/target extractive/abstractive
    high-resource/low-resource few-shot/zero-shot monolingual/multilingual intrinsic/extrinsic
    single/multiple direct/indirect directly/indirectly continuous/discrete structured/unstructured
    first/second first/last train/test training/inference training/test pre-training/fine-tuning
    pretraining/finetuning syntactic/semantic sentence/word word/character words/sentences
    sentence-level/document-level token/sequence text/speech image/video images/videos
    audio/video written/spoken English/Chinese English/German French/Spanish Arabic/Hindi
    Japanese/Korean translation/summarization classification/generation generation/retrieval
    questions/answers question/answer attention/convolution recurrent/convolutional
    supervised/self-supervised open-source/proprietary public/private real/synthetic
    real-world/synthetic formal/informal in-domain/out-of-domain parallel/monolingual
    teachers/students teacher/student readers/writers male/female clinical/legal news/social_media
    accuracy/speed memory/accuracy latency/accuracy cost/quality
"""
SCOPES = """
    all/some all/only_some every/some both/only_one_of_the_two most/few most/all several/all
    many/all across_all/on_one_of_the any/only_some always/sometimes generally/rarely
    only/not_only even/except mainly/only usually/seldom partly/fully entire/half_of_the
    up_to/at_least at_least/at_most on_average/in_every_case average/worst-case whole/part_of_the
    various/one_kind_of a_wide_range_of/a_single different/the_same first/second
    at_inference_time/at_training_time during_training/during_inference training/inference
    state-of-the-art/average multiple/a_single diverse/similar
"""
# Either may stand for the other without changing what is said.
SYNONYMS = """
    show/demonstrate shows/demonstrates propose/present proposes/presents introduce/present
    use/employ uses/employs utilize/use utilizes/uses using/employing method/approach
    methods/approaches significantly/considerably substantially/considerably large/big
    outperforms/beats outperform/beat improves/raises achieve/reach achieves/reaches
    obtain/get obtains/gets many/numerous novel/new various/different however/yet such_as/like
    build/create builds/creates large_language_models/LLMs LLMs/language_models
    model/system results/findings
    additionally/also furthermore/also moreover/also publicly_available/public leverage/use
    leverages/uses leveraging/using performance/results requires/needs require/need
    crucial/essential important/essential corpus/dataset reduces/lowers
    reduce/lower decreases/lowers enhances/improves enhance/improve further/also
    two/2 three/3 four/4 five/5 six/6 seven/7 eight/8 nine/9 ten/10 50%/half because/since
    we/the_authors
"""
LEADING = re.compile(
    r"^(?:however|moreover|furthermore|additionally|in addition|specifically|in particular|notably|"
    r"finally|thus|therefore|hence|in this (?:paper|work|article|study)|to this end|besides|"
    r"in contrast|consequently|overall|more specifically|interestingly|importantly|as a result|"
    r"to address this(?: issue| problem)?|experimental results show that|our results show that|"
    r"experiments show that|we show that|results show that|we find that)\b,?\s+",
    re.IGNORECASE,
)
ADVERBS = re.compile(
    r"\b(?:also|therefore|thus|further|simply|commonly|recently|notably|empirically|carefully|"
    r"typically|respectively|successfully|extensively|very|highly|indeed|then|novel)\s+"
)
BRACKETS = re.compile(r"\s*\([^()]*\)")
TRAILING = re.compile(
    r"(?:, (?:which|while|thereby|leading|making|allowing|resulting|showing|and)\b[^,]*|; [^;]*)\.$"
)
NUMBER = re.compile(r"(?<![\w.\-–])\d[\d,]*(?:\.\d+)?(?=[%x×kKMB]?(?:[\s.,;)\-–]|$))")
COUNTS = "two three four five six seven eight nine ten twelve twenty".split()
COUNT = re.compile(rf"\b(?:{'|'.join(COUNTS)})\b")
UNITS = "million/billion billion/million thousand/million hours/days days/weeks seconds/minutes"
TIMES = "twice/three_times half/a_third doubles/triples double/triple third/quarter"
NAME = re.compile(
    r"\b(?:[A-Z]+[a-z]*[A-Z0-9][\w+]*(?:-[\w.]+)*|[A-Z][a-z]+-\d[\w.]*|[A-Z]{2,}s?)\b"
)
PROPER = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}\b")
AUXILIARY = re.compile(
    r"\b(is|are|was|were|can|could|will|would|does|do|did|should|may|has|have)\b (?!not|n't|no\b)"
)
NOT = re.compile(r"\b(?:do|does|did) not |\bnot |(?<=can)not\b|\bno (?=\w)|\bnever ")
VERBS = (
    "show improve outperform achieve require use provide reduce introduce propose yield support "
    "generalize transfer help perform depend capture benefit increase produce contain include "
    "cover enable allow lead rely work exhibit obtain need predict learn learns match correlate"
).split()
VERB = re.compile(rf"\b({'|'.join(VERBS)})(e?s)?\b(?= )")
BEFORE_VERB = re.compile(r"(?:\b(?:to|and|that|which|can|will|not|of|the|a|in|may|could)|,) $")
JOINED = (
    (re.compile(r"\bboth ([^,.]{3,45}?) and "), r"\1 but not "),
    (re.compile(r" as well as "), " but not "),
    (re.compile(r" and also "), " but not "),
    (re.compile(r",? and (?=\w+\.$)"), " but not "),
    (re.compile(r"\b(?:by|through|via) (?=\w+ing\b)"), "without "),
    (re.compile(r"\bnot only ([^,.]{3,60}?),? but also "), r"only \1, not "),
)
PIVOT = re.compile(
    r" (?:than|rather than|instead of|over|to|into|from|outperforms?|beats?|surpass(?:es)?|"
    r"exceeds?|replac(?:es|ing)|compared (?:to|with)|versus|against|whereas|while|but|on|for) "
)
DETAIL = re.compile(r" (?:on|with|using|for|across|by|without|from|under|in) (?:[^,.;()]+)$")


@dataclass(frozen=True, slots=True)
class Corrupted:
    """A sentence made false, and how."""

    text: str
    kind: str


class Corruptions:
    """One change that makes a sentence false, of a kind drawn at random.

    *pairs* of hand-written sentences (true, false) teach further words that exclude each other.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        learned = _mined(pairs)
        self._words = {
            "direction": _swaps(OPPOSITES, learned),
            "scope": _swaps(SCOPES, ()),
            "number": _swaps(UNITS + " " + TIMES, ()),
        }

    def __call__(
        self, text: str, names: Sequence[str], strange: Sequence[str], chance: Chance
    ) -> Corrupted | None:
        """*text* made false; *names* stand elsewhere in its abstract, *strange* in another's.

        None if no kind of change fits the sentence.
        """
        ways: list[tuple[str, Callable[[], str | None]]] = [
            ("number", lambda: self._number(text, chance)),
            ("direction", lambda: self._swap(text, "direction", chance)),
            ("direction", lambda: self._swap(text, "direction", chance)),
            ("negation", lambda: _negate(text, chance)),
            ("entity", lambda: _rename(text, names, strange, chance)),
            ("role", lambda: _reverse(text, chance)),
            ("scope", lambda: self._swap(text, "scope", chance)),
        ]
        for place in chance.permutation(len(ways)):
            kind, way = ways[place]
            made = way()
            if made is not None and made != text:
                return Corrupted(made, kind)
        return None

    def _swap(self, text: str, kind: str, chance: Chance) -> str | None:
        pattern, others = self._words[kind]
        return _one(
            pattern, text, lambda m: _like(m[0], _pick(others[m[0].lower()], chance)), chance
        )

    def _number(self, text: str, chance: Chance) -> str | None:
        figures = list(NUMBER.finditer(text))
        if len(figures) > 1 and chance.random() < 0.3:
            first, second = (figures[i] for i in sorted(chance.permutation(len(figures))[:2]))
            if first[0] != second[0]:
                return _exchanged(text, first.span(), second.span())
        draw = chance.random()
        if figures and draw < 0.75:
            return _one(NUMBER, text, lambda m: _other_figure(m[0], chance), chance)
        if draw < 0.9:
            counted = _one(
                COUNT, text, lambda m: _pick([c for c in COUNTS if c != m[0]], chance), chance
            )
            if counted:
                return counted
        return self._swap(text, "number", chance)


def names_in(text: str) -> list[str]:
    """What looks like a name in *text*, each once, in order."""
    return list(dict.fromkeys([*NAME.findall(text), *PROPER.findall(text)]))


def lighten(text: str, chance: Chance) -> str:
    """*text* with the same meaning in slightly other words: less said, or a synonym."""
    made = text
    if chance.random() < 0.7:
        made = LEADING.sub("", made)
    if chance.random() < 0.7:
        made = BRACKETS.sub("", made)
    if chance.random() < 0.4:
        made = ADVERBS.sub("", made)
    if chance.random() < 0.35:
        shorter = TRAILING.sub(".", made)
        made = shorter if len(shorter.split()) > 7 else made
    pattern, others = _SYNONYM_SWAPS
    for match in reversed(list(pattern.finditer(made))):
        if chance.random() < 0.4:
            word = _like(match[0], _pick(others[match[0].lower()], chance))
            made = made[: match.start()] + word + made[match.end() :]
    return made[:1].upper() + made[1:] if made else text


def detailed(text: str, other: str, chance: Chance) -> str | None:
    """*text* with the closing phrase of *other*, a sentence of a like paper; None without one."""
    found = [m for m in DETAIL.finditer(other.rstrip(". ")) if 2 <= len(m[0].split()) <= 9]
    bare = text.rstrip(". ")
    if not found or found[-1][0].strip().lower() in text.lower():
        return None
    phrase = found[-1][0]
    # The phrase may also take the place of the sentence's own.
    own = DETAIL.search(bare)
    if own and chance.random() < 0.3 and len(own[0].split()) <= 9:
        bare = bare[: own.start()]
    return f"{bare}{phrase}."


def changed(true: str, false: str) -> list[Span]:
    """Where in *false* the words stand that *true* has not; around what it left out."""
    ours = [m.span() for m in re.finditer(r"\S+", false)]
    matcher = SequenceMatcher(None, true.split(), false.split(), autojunk=False)
    spans: list[Span] = []
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind == "delete":
            first, last = max(0, first - 1), min(len(ours), first + 1)
        if kind != "equal" and last > first:
            spans.append((ours[first][0], ours[last - 1][1]))
    return spans


def _swaps(
    table: str, learned: Iterable[tuple[str, str]]
) -> tuple[re.Pattern[str], dict[str, list[str]]]:
    """A pattern of all phrases, and what may stand instead of each."""
    others: dict[str, list[str]] = {}
    given = (pair.replace("_", " ").split("/") for pair in table.split())
    for one, other in [*given, *learned]:
        others.setdefault(one.lower(), []).append(other)
        others.setdefault(other.lower(), []).append(one)
    longest_first = sorted(others, key=len, reverse=True)
    words = "|".join(re.escape(phrase) for phrase in longest_first)
    return re.compile(rf"(?<![\w.,^-])(?:{words})(?![\w-]|[.,]\d)", re.IGNORECASE), others


def _mined(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Short phrases for which one was exchanged for the other, and nothing else was changed."""
    seen: Counter[tuple[str, str]] = Counter()
    for true, false in pairs:
        ours, theirs = true.split(), false.split()
        codes = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
        edits = [code for code in codes if code[0] != "equal"]
        if len(edits) != 1 or edits[0][0] != "replace":
            continue
        _, i, j, k, l = edits[0]  # noqa: E741 the order of difflib's five
        old, new = (" ".join(part).strip(".,;:") for part in (ours[i:j], theirs[k:l]))
        if max(j - i, l - k) <= 3:
            seen[tuple(sorted((old, new)))] += 1  # type: ignore[index]
    return [
        pair
        for pair, count in sorted(seen.items())
        if all(pair) and (count > 1 or min(map(len, pair)) > 3) and not set(pair) & {"and", "or"}
    ]


_SYNONYM_SWAPS = _swaps(SYNONYMS, ())


def _negate(text: str, chance: Chance) -> str | None:
    ways = [
        lambda: _one(NOT, text, lambda m: "", chance),
        lambda: _one(
            AUXILIARY, text, lambda m: "cannot " if m[1] == "can" else m[1] + " not ", chance
        ),
        lambda: _verb_negated(text, chance),
        lambda: _joined(text, chance),
        lambda: _joined(text, chance),
    ]
    for place in chance.permutation(len(ways)):
        made = ways[place]()
        if made is not None:
            return made
    return None


def _verb_negated(text: str, chance: Chance) -> str | None:
    verbs = [m for m in VERB.finditer(text) if not BEFORE_VERB.search(text[: m.start()])]
    verbs = [m for m in verbs if m.start()]
    if not verbs:
        return None
    match = _pick(verbs, chance)
    rest = text[match.end() :]
    helping = "does not" if match[2] else "do not"
    if match[2] and chance.random() < 0.3:
        helping = "fails to"
    return f"{text[: match.start()]}{helping} {match[1]}{rest}"


def _joined(text: str, chance: Chance) -> str | None:
    fitting = [(p, new) for p, new in JOINED if p.search(text)]
    if not fitting:
        return None
    pattern, new = _pick(fitting, chance)
    return pattern.sub(new, text, count=1)


def _rename(text: str, names: Sequence[str], strange: Sequence[str], chance: Chance) -> str | None:
    own = names_in(text)
    elsewhere = [name for name in names if name not in text]
    other = [name for name in strange if name not in text]
    if not own or not (elsewhere or other):
        return None
    pool = elsewhere if elsewhere and (not other or chance.random() < 0.5) else other
    old = _pick(own, chance)
    return text.replace(old, _pick(pool, chance), 1)


def _reverse(text: str, chance: Chance) -> str | None:
    """Exchange what stands before a pivot ("than", "to", "outperforms") with what stands after."""
    named = [m.span() for m in NAME.finditer(text)]
    pivots = list(PIVOT.finditer(text))
    if not pivots:
        return None
    pivot = _pick(pivots, chance)
    before = [span for span in named if span[1] <= pivot.start()]
    after = [span for span in named if span[0] >= pivot.end()]
    if before and after:
        return _exchanged(text, before[-1], after[0])
    left = re.search(r"([\w-]{4,})$", text[: pivot.start()])
    right = re.match(r"((?:the |a )?)([\w-]{4,})", text[pivot.end() :])
    if not left or not right or left[1].lower() == right[2].lower():
        return None
    start = pivot.end() + right.start(2)
    return _exchanged(text, left.span(1), (start, start + len(right[2])))


def _exchanged(text: str, first: Span, second: Span) -> str:
    one, other = text[slice(*first)], text[slice(*second)]
    return text[: first[0]] + other + text[first[1] : second[0]] + one + text[second[1] :]


def _other_figure(figure: str, chance: Chance) -> str | None:
    """A figure like *figure* that is not it: ten times, a digit, half, a little more or less."""
    value = float(figure.replace(",", ""))
    places = len(figure.partition(".")[2])
    draw = chance.random()
    if draw < 0.3:
        value *= float(chance.choice([10.0, 0.1, 2.0, 0.5]))
    elif draw < 0.6:
        value *= float(chance.uniform(0.4, 1.9))
    else:
        place = int(chance.integers(len(figure)))
        if not figure[place].isdigit():
            return None
        made = figure[:place] + str(chance.integers(1, 10)) + figure[place + 1 :]
        return made if made != figure else None
    made = f"{value:.{places}f}" if places else f"{round(value)}"
    made = f"{round(value):,}" if "," in figure else made
    return made if made != figure else None


def _one(
    pattern: re.Pattern[str], text: str, put: Callable[[re.Match[str]], str | None], chance: Chance
) -> str | None:
    """*text* with one match, drawn at random, exchanged for what *put* says; None if none."""
    matches = list(pattern.finditer(text))
    if not matches:
        return None
    match = _pick(matches, chance)
    new = put(match)
    return None if new is None else text[: match.start()] + new + text[match.end() :]


def _like(model: str, word: str) -> str:
    """*word* with the first letter of *model*'s case."""
    return word[:1].upper() + word[1:] if model[:1].isupper() and len(model) > 1 else word


def _pick(options: Sequence[T], chance: Chance) -> T:
    return options[int(chance.integers(len(options)))]
