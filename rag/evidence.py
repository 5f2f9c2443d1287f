"""Which sentences of an abstract answer a question: features, a linear score, a softmax.

The weights were fitted, not guessed (`python -m eval.calibrate`): a conditional logit over the
sentences of one abstract (McFadden, 1974) on questions whose answer sentence is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rag.expected import NAMES, NUMBERS, expected, holds, own_words
from rag.names import key_of
from rag.question import wanted
from rag.words import content_words, numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURES = (
    "cosine",  # to the question's vector
    "coverage",  # share of the question's rarity in the sentence
    "coverage_rest",  # the same without the names of the paper itself
    "before",  # coverage_rest of the sentence before: answers often follow what is asked about
    "after",
    "reader",  # the reader's logit, over 4
    "reader_over_best",  # how far below the abstract's largest it is, over 4: 0 or less
    "number_wanted",  # a number is wanted and the sentence has one
    "number_missing",  # a number is wanted and the sentence has none
    "numbers_unasked",  # the sentence has a number though none is wanted
    "result_cue",
    "method_cue",
    "reason_cue",
    "definition_cue",
    "data_cue",
    "name",  # the sentence holds a name the question holds
    "first",
    "last",
    "position",  # 0 at the start of the abstract, 1 at its end
    "length",  # log of its words over 20
    "code",  # tells where code or data can be found
    # The same for questions in everyday words, which hardly share a word with the abstract:
    # those ask for the gist, so that what a paper proposes or finds counts more than likeness.
    "gist_introduces",
    "gist_finds",
    "gist_cosine",
    "gist_position",
    "gist_number",
    "gist_reader",
    # What kind of thing is wanted (`rag.expected`): whether the sentence holds one, or lacks it.
    "number_held",
    "number_lacked",
    "name_held",
    "name_lacked",
)

_CUES = {
    "result": re.compile(
        r"\b(?:show|find|found|demonstrat|outperform|achiev|improv|result|reveal|observ|surpass|reduc"
        r"|accura|speed|faster|better|state-of-the-art|experiment|evaluat|increas|conclu|suggest)\w*",
        re.IGNORECASE,
    ),
    "method": re.compile(
        r"\b(?:we (?:propose|introduce|present|develop|design|use|train|build)|this (?:paper|work)"
        r"|by \w+ing|consist|compris|leverag|utiliz|based on|employ|combin|which|first|then|second"
        r"|via|through|using)\b",
        re.IGNORECASE,
    ),
    "reason": re.compile(
        r"\b(?:however|challeng|limit|problem|lack|difficult|costly|expensive|issue|despite|while"
        r"|suffer|bottleneck|because|due to|hinder|prohibitive|fail|remain|often|unfortunately)\w*",
        re.IGNORECASE,
    ),
    "definition": re.compile(
        r"\b(?:we|this paper|this work|in this)\b.{0,40}\b(?:propos|introduc|present|develop|releas"
        r"|describ|explor|investigat|stud|examin|survey|review|provid)\w*|\bcalled\b|\bdubbed\b"
        r"|\bnamed\b",
        re.IGNORECASE,
    ),
    "data": re.compile(
        r"\b(?:dataset|data set|data|corpus|benchmark|domain|language|task|sample|example|annotat"
        r"|collect|curat|evaluat)\w*",
        re.IGNORECASE,
    ),
}
_FINDS = re.compile(
    r"\b(?:we|results?|experiments?|analysis|study|evaluation)\b.{0,40}"
    r"\b(?:show|find|found|reveal|demonstrat|observ|discover|conclu|suggest|indicat)\w*",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"https?://|github|available (?:at|in|on)|publicly|open-source[ds]? (?:at|code)", re.I
)

Rarity = Callable[[str], float]
Columns = dict[str, "NDArray[Any]"]  # a feature of every sentence, (sentences,), by its name


def features(
    question: str,
    title: str,
    own_names: Sequence[str],
    sentences: Sequence[str],
    cosines: NDArray[np.float32],
    read: NDArray[np.float32] | None,
    rarity: Rarity,
) -> NDArray[np.float64]:
    """Describe each sentence of one abstract for *question*: (sentences, FEATURES).

    *title* is the paper's; *own_names* are names of the question that it introduces; *cosines* are
    (sentences,), and so is *read*, the reader's logits, or None where no reader read; *rarity*
    gives a term's inverse document frequency, 0 or more.
    """
    if not sentences:
        return np.zeros((0, len(FEATURES)))
    columns = {
        **_of_words(question, own_names, sentences, rarity),
        **_of_reader(len(sentences), cosines, read),
        **_of_place(sentences),
        **_of_cues(question, sentences),
        **_of_things(question, title, own_names, sentences),
    }
    columns |= _of_gist(columns, sentences)
    return np.column_stack([columns[name] for name in FEATURES]).astype(np.float64)


def _of_words(
    question: str, own_names: Sequence[str], sentences: Sequence[str], rarity: Rarity
) -> Columns:
    """How much of the question's words each sentence holds, and those beside it."""
    asked = content_words(question)
    rest = asked - {term for name in own_names for term in content_words(name)}
    held = [content_words(text) for text in sentences]
    covered_rest = np.array([_share(rest, words, rarity) for words in held])
    keys = [key_of(name) for name in own_names]
    return {
        "coverage": np.array([_share(asked, words, rarity) for words in held]),
        "coverage_rest": covered_rest,
        "before": np.r_[0.0, covered_rest[:-1]],
        "after": np.r_[covered_rest[1:], 0.0],
        "name": np.array([any(key in key_of(text) for key in keys) for text in sentences]),
    }


def _of_reader(
    count: int, cosines: NDArray[np.float32], read: NDArray[np.float32] | None
) -> Columns:
    """What the models make of each of *count* sentences."""
    logits = np.zeros(count) if read is None else read / 4.0
    return {"cosine": cosines, "reader": logits, "reader_over_best": logits - logits.max()}


def _of_place(sentences: Sequence[str]) -> Columns:
    """Where each sentence stands, and how long it is."""
    places = np.arange(len(sentences))
    last = len(sentences) - 1
    words = np.array([max(1, len(text.split())) for text in sentences])
    return {
        "first": places == 0,
        "last": places == last,
        "position": places / max(1, last),
        "length": np.log(words / 20),
    }


def _of_cues(question: str, sentences: Sequence[str]) -> Columns:
    """Turns of phrase in each sentence, counted where the question asks for what they tell."""
    kind = wanted(question)
    has_number = _have_numbers(sentences)
    return {
        "number_wanted": kind.number & has_number,
        "number_missing": kind.number & ~has_number,
        "numbers_unasked": has_number & (not kind.number),
        "result_cue": kind.result & _match(_CUES["result"], sentences),
        "method_cue": kind.method & _match(_CUES["method"], sentences),
        "reason_cue": kind.reason & _match(_CUES["reason"], sentences),
        "definition_cue": kind.definition & _match(_CUES["definition"], sentences),
        "data_cue": kind.data & _match(_CUES["data"], sentences),
        "code": _match(_CODE, sentences),
    }


def _of_things(
    question: str, title: str, own_names: Sequence[str], sentences: Sequence[str]
) -> Columns:
    """Whether each sentence holds the kind of thing that is wanted, or lacks it."""
    thing = expected(question)
    own = own_words((title.partition(":")[0], *own_names))
    held = np.array([float(holds(text, thing, question, own)) for text in sentences])
    return {
        "number_held": (thing.form in NUMBERS) * held,
        "number_lacked": (thing.form in NUMBERS) * (1.0 - held),
        "name_held": (thing.form in NAMES) * held,
        "name_lacked": (thing.form in NAMES) * (1.0 - held),
    }


def _of_gist(columns: Columns, sentences: Sequence[str]) -> Columns:
    """Of *columns* and cues, what counts more the fewer of the question's words are covered."""
    gist = max(0.0, 1.0 - 2.0 * float(columns["coverage"].max(initial=0.0)))
    return {
        "gist_introduces": gist * _match(_CUES["definition"], sentences),
        "gist_finds": gist * _match(_FINDS, sentences),
        "gist_cosine": gist * columns["cosine"],
        "gist_position": gist * columns["position"],
        "gist_number": gist * _have_numbers(sentences),
        "gist_reader": gist * columns["reader"],
    }


def _match(pattern: re.Pattern[str], sentences: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([bool(pattern.search(text)) for text in sentences], dtype=bool)


def _have_numbers(sentences: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([bool(numbers(text)) for text in sentences], dtype=bool)


def _share(asked: set[str], held: set[str], rarity: Rarity) -> float:
    """Share of the rarity of *asked* that *held* covers, 0 to 1."""
    total = sum(rarity(term) for term in asked)
    return sum(rarity(term) for term in asked & held) / total if total > 0 else 0.0


def probabilities(rows: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax of the linear scores: how likely each sentence is the one that answers; sums to 1."""
    scores = rows @ weights
    odds = np.exp(scores - scores.max())
    return np.asarray(odds / odds.sum())
