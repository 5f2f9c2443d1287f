"""Which sentences of an abstract answer a question: features, a linear score, a softmax.

The weights were fitted, not guessed (`python -m eval.calibrate`): a conditional logit over the
sentences of one abstract (McFadden, 1974) on questions whose answer sentence is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

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
    kind = wanted(question)
    asked = content_words(question)
    own = {term for name in own_names for term in content_words(name)}
    rest = asked - own
    keys = [key_of(name) for name in own_names]
    held = [content_words(text) for text in sentences]
    covered = np.array([_share(asked, words, rarity) for words in held])
    covered_rest = np.array([_share(rest, words, rarity) for words in held])
    count = len(sentences)
    logits = np.zeros(count) if read is None else read / 4.0
    gist = max(0.0, 1.0 - 2.0 * float(covered.max(initial=0.0)))
    thing = expected(question)
    own_spellings = own_words((title.partition(":")[0], *own_names))
    rows = np.zeros((count, len(FEATURES)))
    for i, text in enumerate(sentences):
        has_number = bool(numbers(text))
        compact = key_of(text)
        held_thing = holds(text, thing, question, own_spellings)
        rows[i] = (
            cosines[i],
            covered[i],
            covered_rest[i],
            covered_rest[i - 1] if i else 0.0,
            covered_rest[i + 1] if i + 1 < count else 0.0,
            logits[i],
            logits[i] - logits.max(),
            kind.number and has_number,
            kind.number and not has_number,
            has_number and not kind.number,
            kind.result and bool(_CUES["result"].search(text)),
            kind.method and bool(_CUES["method"].search(text)),
            kind.reason and bool(_CUES["reason"].search(text)),
            kind.definition and bool(_CUES["definition"].search(text)),
            kind.data and bool(_CUES["data"].search(text)),
            any(key in compact for key in keys),
            i == 0,
            i == count - 1,
            i / max(1, count - 1),
            np.log(max(1, len(text.split())) / 20),
            bool(_CODE.search(text)),
            gist * bool(_CUES["definition"].search(text)),
            gist * bool(_FINDS.search(text)),
            gist * cosines[i],
            gist * i / max(1, count - 1),
            gist * has_number,
            gist * logits[i],
            (thing.form in NUMBERS) * held_thing,
            (thing.form in NUMBERS) * (1.0 - held_thing),
            (thing.form in NAMES) * held_thing,
            (thing.form in NAMES) * (1.0 - held_thing),
        )
    return rows


def _share(asked: set[str], held: set[str], rarity: Rarity) -> float:
    """Share of the rarity of *asked* that *held* covers, 0 to 1."""
    total = sum(rarity(term) for term in asked)
    return sum(rarity(term) for term in asked & held) / total if total > 0 else 0.0


def probabilities(rows: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax of the linear scores: how likely each sentence is the one that answers; sums to 1."""
    scores = rows @ weights
    odds = np.exp(scores - scores.max())
    return np.asarray(odds / odds.sum())
