"""What kind of thing would answer a question, and whether a sentence holds such a thing.

Answer typing (Prager, Open-Domain Question Answering, 2006, section 3): "how many languages" wants
a number that counts languages, "which backbone" the name of a model. An abstract that holds nothing
of the kind does not answer, however much it shares with the question. Rules over words; how much
they count for was fitted (`python -m eval.calibrate`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rag.text import fold
from rag.words import STOPWORDS, compounds, stem, without_numbering

Form = Literal["", "count", "measure", "size", "unit", "name", "model"]
NUMBERS: frozenset[Form] = frozenset({"count", "measure", "size", "unit"})
NAMES: frozenset[Form] = frozenset({"name", "model"})

WHOLLY, PARTLY, HARDLY = 1.0, 0.5, 0.25
"""How well a thing fits: of the kind and beside its noun, of the kind, or only a figure or name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What would answer: a form, and what it counts, measures or names; no form if none is told."""

    form: Form = ""
    what: frozenset[str] = frozenset()  # of a count, measure or size: stems
    kind: str = ""  # of a unit ("percent", "time", …) or of a name ("data", "language", …)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a sentence, with the stems around it."""

    unit: str  # percent, times, fraction, time, money, bytes, year, scale or ""
    behind: tuple[str, ...]
    before: tuple[str, ...]
    decimal: bool


def _stems(words: str) -> frozenset[str]:
    return frozenset(map(stem, words.split()))


# Words that count the same things, as stems.
_PEOPLE = _stems(
    "people person participants humans annotators users raters speakers subjects students experts"
    " volunteers workers crowdworkers respondents patients children kids teachers judges evaluators"
    " attendees authors"
)
_ITEMS = _stems(
    "samples examples instances sentences pairs tokens words documents docs items entries records"
    " questions problems tasks texts utterances dialogues conversations images videos posts tweets"
    " articles papers pages triples annotations rows points datapoints prompts queries trajectories"
    " demonstrations cases passages paragraphs hours size count total"
)
_SAME = (
    _PEOPLE,
    _ITEMS,
    _stems("models llms lms systems networks plms vlms mllms"),
    _stems("languages langs tongues dialects"),
    _stems("gpus a100 h100 v100 h800 a800 rtx tpus accelerators devices cards nodes machines"),
    _stems("watts w kw milliwatts mw"),
    _stems("flops tflops petaflops gflops exaflops"),
)
_NAMED = {
    "model": _stems(
        "models llms lms plms vlms mllms lmms backbones encoders decoders networks transformers"
        " generators classifiers baselines parsers embeddings retrievers rerankers detectors"
        " teachers students judges tokenizers architectures checkpoints"
    ),
    "data": _stems(
        "datasets benchmarks corpus corpora treebanks testbeds databases collections leaderboards"
        " suites testsets"
    ),
    "language": _stems("languages langs tongues dialects"),
    "hardware": _stems(
        "gpus hardware accelerators chips platforms robots sensors processors devices machines cpus"
        " tpus fpgas"
    ),
    "tool": _stems(
        "libraries library tools toolkits engines simulators solvers optimizers optimisers"
        " algorithms frameworks software packages compilers games environments protocols metrics"
        " measures apps websites sites"
    ),
    "organisation": _stems(
        "companies company organisations organizations universities university institutions labs"
        " teams vendors groups hospitals"
    ),
    "place": _stems("countries country cities city regions states"),
}
_KIND_OF_NOUN = {noun: kind for kind, nouns in _NAMED.items() for noun in nouns}
_LANGUAGES = frozenset(
    """
    english german french spanish chinese mandarin cantonese japanese korean arabic hindi bengali
    urdu tamil telugu marathi gujarati kannada malayalam punjabi odia assamese nepali sinhala
    russian ukrainian polish czech slovak slovene slovenian croatian serbian bosnian bulgarian
    romanian hungarian finnish swedish norwegian danish dutch icelandic italian portuguese catalan
    galician basque greek turkish persian farsi hebrew vietnamese thai lao khmer burmese indonesian
    malay tagalog filipino javanese swahili yoruba hausa igbo zulu xhosa amharic somali afrikaans
    latin irish welsh breton estonian latvian lithuanian kazakh uzbek mongolian tibetan uyghur
    georgian armenian azerbaijani albanian macedonian maltese esperanto sanskrit python java
    javascript c++ rust typescript php ruby kotlin scala sql haskell fortran julia lua perl bash
    """.split()
)
# Written like names, and the name of nothing that is asked for.
_NO_NAMES = frozenset(
    """
    llm llms nlp ai ml dl rl cv qa nlu nlg api apis gpu gpus cpu cpus tpu sota moe rag cot rlhf sft
    icl kv ir ner asr mt nmt plm plms lm lms vlm vlms mllm mllms lmm lmms kg kgs f1 bleu rouge ppl
    dnn dnns cnn rnn lstm gnn gan gans svm crf hmm ui url github peft i ii iii iv
    """.split()
)

# Families of models: the answer to "which backbone" is mostly one of them.
_FAMILIES = re.compile(
    r"(?:\w*gpt|\w*bert|\w*llama|alpaca|vicuna|\w*t5|bart|mbart|mistral|mixtral|qwen|gemini|gemma|palm"
    r"|claude|opus|sonnet|haiku|phi|falcon|bloom|opt|deepseek|yi|baichuan|chatglm|glm|internlm|olmo"
    r"|pythia|codex|starcoder|codegen|granite|command|electra|xlnet|xlm|elmo|fasttext|word2vec|glove"
    r"|clip|siglip|vit|swin|resnet|vgg|inception|efficientnet|mobilenet|alexnet|unet|yolo|dall|sora"
    r"|whisper|wav2vec|hubert|llava|blip|flamingo|minicpm|stable|mamba|rwkv|pegasus|longformer"
    r"|bigbird|colbert|minilm|sbert|e5|bge|davinci|chatgpt|o1|o3|grok|nemotron)(?![a-z])",
    re.IGNORECASE,
)

_NUMBER_WORDS = frozenset(
    """
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety dozen dozens
    hundred hundreds thousand thousands million millions billion billions trillion trillions single
    couple pair
    """.split()
)
_MULTIPLIES = frozenset("double doubles doubled doubling twice triple tripled halve halved".split())
_FRACTIONS = frozenset("half third thirds quarter quarters".split())
_UNITS = {
    "money": frozenset("usd dollar dollars euro euros cent cents $ €".split()),
    "percent": frozenset("% percent percentage points pp".split()),
    "times": frozenset("x × times fold".split()),
    "time": frozenset(
        "second seconds sec secs ms millisecond milliseconds minute minutes min hour hours hr hrs"
        " day days week weeks month months year years".split()
    ),
    "bytes": frozenset(
        "gb mb tb kb gib mib gigabyte gigabytes megabyte megabytes terabyte terabytes byte bytes"
        " bit bits".split()
    ),
    "scale": frozenset(
        "k m b t bn million billion trillion thousand hundred millions billions trillions thousands"
        " hundreds".split()
    ),
}
# What stands in for a unit that is not told: "30x faster" says something of the time.
_NEARLY = {
    "time": frozenset({"times"}),
    "money": frozenset({"times", "percent"}),
    "bytes": frozenset({"times", "percent"}),
    "percent": frozenset[str](),
    "year": frozenset[str](),
}

_TOKEN = re.compile(
    r"[$€£]?\d[\d.,]*(?:[a-zA-Z%]+)?|[^\W\d_][\w'+.-]*[\w+]|[^\W\d_]|[%$€£×]|[.;:,()]"
)
_FIGURE = re.compile(r"[$€£]?[\d.,]*\d([a-z%]+)?\.?")
_WORDED = re.compile(
    r"(?:\d|(?:one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty|sixty"
    r"|seventy|eighty|ninety|hundred|thousand)-)"
)
_STOPS = frozenset(".;:")
_NAME = re.compile(r"[A-Za-z][\w^+.-]*[\w+]|[A-Z]")
_WRITTEN = re.compile(r"[\w^+.-]*[\w+]")

_COUNTED = re.compile(
    r"\b(?:into how many|to how many|how (?P<many>many|much)|numbers? of|amount of|count of"
    r"|total of)\s+(?:of )?(?:the |its |their |these |those )?(?P<rest>[^?.,;:]{2,70})",
    re.IGNORECASE,
)
_HOW_MUCH_MORE = re.compile(
    r"\bhow much (?:of )?(?:better|faster|more|less|larger|smaller|quicker|cheaper|bigger|longer"
    r"|time)\b",
    re.IGNORECASE,
)
_VERB_FIRST = re.compile(
    r"(?:do|does|did|is|was|are|were|can|could|would|will|has|have)\b", re.IGNORECASE
)
_YEAR = re.compile(
    r"\b(?:what|which) years?\b|\bsince when\b|^\W*when (?:was|were|did)\b", re.IGNORECASE
)
_HOW_LONG = re.compile(
    r"\bhow long (?:do|does|did|is|was|will|until|before|it)\b|\bhow many (?:milli)?(?:seconds"
    r"|minutes|hours|days|weeks|months|years)\b",
    re.IGNORECASE,
)
_MEMORY = re.compile(
    r"\b(?:what|which|how much) (?:[\w-]+ ){0,2}?(?:memory|v?ram|storage|disk space)\b",
    re.IGNORECASE,
)
_SHARE = re.compile(
    r"\b(?:what|which|whats) (?:\w+ ){0,3}(?:percent(?:age)?|share|fraction|proportion)\b"
    r"|\b(?:percent(?:age)?|share|fraction|proportion) of\b|\?\s*%|\bin percent\b",
    re.IGNORECASE,
)
_HOW_LARGE = re.compile(
    r"\bhow (?:much )?(?:large|big|small|fast|far|high|low|deep|wide|old|accurate|good|well|close"
    r"|strong|closely|often|quick|quicker|faster|better|worse|larger|bigger|smaller|higher|lower"
    r"|cheaper|longer|shorter|more|less|fewer|strongly)\b|\bby how much\b"
    r"|\b(?:by|of) what (?:factor|margin)\b",
    re.IGNORECASE,
)
_HOW_SIZED = re.compile(r"\bhow (?:large|big|small)\b|\bparam(?:eter)?s?\b|\bsize\b", re.IGNORECASE)
_MEASURE = re.compile(
    r"\b(accuracy|scored?s?|rates?|f1|bleu|rouge|map|miou|iou|auc|auroc|mrr|ndcg|recall|precision"
    r"|wer|cer|perplexity|ppl|correlation|kappa|agreement|pass@\d+|exact match|em|throughput"
    r"|speed-?ups?|mfu|gains?|improvements?|boost|margin|reduction|savings?|drop|compression|error"
    r"|psnr|fid|top-1|top-5|points?)\b",
    re.IGNORECASE,
)
_TELLS_FIGURE = re.compile(
    r"\b(?:what|whats|which|exact|give|average|overall|final|max|best|highest)\b", re.IGNORECASE
)
_WHICH_ONE = re.compile(
    r"\b(?:which|what) (?:\w+ ){0,3}(?:models?|llms?|methods?|datasets?|benchmarks?|metrics?"
    r"|languages?|systems?|approach(?:es)?|algorithms?)\b",
    re.IGNORECASE,
)
_SIZE = re.compile(
    r"\b(?:parameter|param|token|sample)s? (?:count|size|number|total)s?\b"
    r"|\btotal (?:tokens|parameters|samples|size)\b"
    r"|\b(?:dataset|corpus|model|context|sequence|input|window|vocab\w*|batch) (?:size|length)s?\b"
    r"|\b(?:longest|largest|max(?:imum|imal)?) (?:context|sequence|input)s?\b"
    r"|\bsizes?\W*$|^\W*(?:the )?sizes? of\b",
    re.IGNORECASE,
)
_LASTS = re.compile(r"\b(?:latency|duration|run-?time|training time)\b", re.IGNORECASE)
_NO_FIGURE = re.compile(
    r"\W*(?:does|do|is|are|can|did|was|were|why|who|where|when|how (?:do|does|did|is|are|can))\b",
    re.IGNORECASE,
)
_WHICH = re.compile(
    r"\b(?:which|what|whats|name the|names? of(?: the)?|name)\s+(?:(?:of the|kinds? of|types? of"
    r"|specific|exact|other|(?:are|is|was|were) the)\s+)*(?P<rest>[^?.,;:]{2,60})",
    re.IGNORECASE,
)
_TERSE = 8  # a question of so many words may be a noun phrase: "unipredict backbone model?"
_PHRASE = 5  # words of a noun phrase at most
_VERBS = _stems(
    "did does do was were is are has have had can could will would should sit hold contain takes"
    " took needs come came get got give gave make made uses used reach reached exist cover appear"
    " run ran left checked"
)
_BEHIND, _BEFORE = 6, 2  # words behind and before a number among which is what it counts


@lru_cache(maxsize=256)
def expected(question: str) -> Expected:
    """What would answer *question*.

    >>> expected("How many languages does MEGA cover?").form
    'count'
    >>> expected("unipredict backbone model?").form
    'model'
    """
    text = fold(question)
    counted = _COUNTED.search(text)
    if counted and not _HOW_MUCH_MORE.search(text):
        return _of_count(counted)
    if _YEAR.search(text):
        return Expected("unit", kind="year")
    if _HOW_LONG.search(text):
        return Expected("unit", kind="time")
    if _SHARE.search(text):
        return Expected("unit", kind="percent")
    if _MEMORY.search(text):
        return Expected("unit", kind="bytes")
    return _of_measure(text) or _of_name(text)


def _of_count(counted: re.Match[str]) -> Expected:
    rest = counted["rest"]
    if (counted["many"] or "").lower() == "much" and _VERB_FIRST.match(rest):
        return Expected("measure")  # "how much does it gain"
    phrase = _phrase(rest)
    first = phrase[0] if phrase else ""
    for unit in ("time", "money", "bytes", "percent"):
        if first in {stem(word) for word in _UNITS[unit]}:
            return Expected("unit", kind=unit)
    if first in {"memori", "ram", "vram", "storag"}:
        return Expected("unit", kind="bytes")
    return Expected("count", frozenset(phrase))


def _of_measure(text: str) -> Expected | None:
    measure = _MEASURE.search(text)
    what = frozenset({stem(measure[1].lower())}) if measure else frozenset[str]()
    if _HOW_LARGE.search(text):
        return Expected("size" if _HOW_SIZED.search(text) else "measure", what)
    asks = not _NO_FIGURE.match(text)
    terse = len(text.split()) <= _TERSE
    if measure and asks and (terse or _TELLS_FIGURE.search(text)) and not _WHICH_ONE.search(text):
        return Expected("measure", what)
    if asks and _SIZE.search(text):
        return Expected("size", frozenset(_phrase(text)))
    if asks and terse and _LASTS.search(text):
        return Expected("unit", kind="time")
    return None


def _of_name(text: str) -> Expected:
    kinds = [_kind_of(match["rest"]) for match in _WHICH.finditer(text)]
    words = [stem(word.lower()) for word in compounds(text)]
    if len(words) < _TERSE and not _NO_FIGURE.match(text):
        kinds += [_KIND_OF_NOUN.get(word, "") for word in words[:-4:-1]]
    kind = next(filter(None, kinds), "")
    return Expected("model" if kind == "model" else "name", kind=kind) if kind else Expected()


def _kind_of(rest: str) -> str:
    """The kind that the noun phrase at the start of *rest* names, by its last noun."""
    kind = ""
    for word in _noun_phrase(rest):
        for part in re.split("[-/]", word):
            kind = _KIND_OF_NOUN.get(stem(part), kind)
    return kind


def _noun_phrase(rest: str) -> Iterator[str]:
    for number, word in enumerate(compounds(rest)):
        lower = word.lower()
        if lower in STOPWORDS or stem(lower) in _VERBS or number > _PHRASE:
            return
        yield lower


def _phrase(rest: str) -> list[str]:
    """Stems of the first words of content in *rest*."""
    found: list[str] = []
    for word in compounds(rest):
        lower = word.lower()
        if lower in STOPWORDS or stem(lower) in _VERBS:
            if found:
                break
            continue
        found += _parts(lower)
    return found[:_PHRASE]


def _parts(word: str) -> list[str]:
    return [stem(part) for part in re.split("[-/]", word) if part]


def holds(sentence: str, wanted: Expected, question: str, own: Collection[str]) -> float:
    """How well something in *sentence* fits what is *wanted*, 0 to 1; 0 if nothing is wanted.

    *own* are the words of the paper's own names, in lower case: asked for a model, the paper's
    system is no answer.
    """
    if wanted.form in NAMES:
        return _holds_name(sentence, wanted, question, own)
    if wanted.form in NUMBERS:
        return max((_fits(one, sentence, wanted) for one in figures(sentence)), default=0.0)
    return 0.0


def _fits(figure: Figure, sentence: str, wanted: Expected) -> float:
    """How well one number fits."""
    if wanted.form == "count":
        if figure.unit in {"percent", "money", "times", "fraction", "year"}:
            return 0.0
        same = wanted.what.union(*(group for group in _SAME if group & wanted.what))
        near = {*figure.behind[:_BEHIND], *figure.before[-_BEFORE:]}
        return WHOLLY if same & near else HARDLY
    if wanted.form == "unit":
        alike = {"percent", "fraction"} if wanted.kind == "percent" else {wanted.kind}
        if figure.unit in alike:
            return WHOLLY
        return PARTLY if figure.unit in _NEARLY.get(wanted.kind, ()) else 0.0
    if wanted.form == "size":
        counts = figure.unit in {"scale", "bytes"} or (_ITEMS | {"paramet"}) & set(figure.behind)
        return WHOLLY if counts else HARDLY
    if figure.unit in {"percent", "times"} or figure.decimal:
        told = not wanted.what or wanted.what & {stem(w) for w in _words(sentence)}
        return WHOLLY if told else PARTLY
    return 0.0 if figure.unit == "year" else HARDLY


def _holds_name(sentence: str, wanted: Expected, question: str, own: Collection[str]) -> float:
    words = set(_words(sentence))
    if wanted.kind == "language":
        return float(bool((words & _LANGUAGES) - set(_words(question))))
    found = list(names(sentence, question, own))
    if not found:
        return 0.0
    near = any(_KIND_OF_NOUN.get(stem(word)) == wanted.kind for word in words)
    if wanted.kind not in {"model", "hardware"}:
        return WHOLLY if near else PARTLY
    if wanted.kind == "model" and any(_FAMILIES.match(name) for name in found):
        return WHOLLY
    # The names of models and machines have capitals or digits inside: GPT-4, LLaMA, A100.
    if not any(_is_marked(name) for name in found):
        return HARDLY
    if wanted.kind == "model":
        return PARTLY if near else HARDLY
    return WHOLLY if near else PARTLY


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9@+]+", fold(text).lower())


def _is_marked(word: str) -> bool:
    return any(sign.isupper() for sign in word[1:]) or any(sign.isdigit() for sign in word)


def names(sentence: str, question: str, own: Collection[str]) -> Iterator[str]:
    """Words of *sentence* written as names, but those of the question and of the paper itself."""
    known = {*_spellings(question), *own}
    for place, word in enumerate(_NAME.findall(fold(sentence))):
        lower = word.lower()
        capital = word[0].isupper() and place > 0  # the first word has one anyway
        if not (capital or _is_marked(word)) or lower in _NO_NAMES or lower in STOPWORDS:
            continue
        parts = lower.split("-")
        if {lower, lower.rstrip("s")} & known or (len(parts) > 1 and known.issuperset(parts)):
            continue
        yield word


def _spellings(text: str) -> Iterator[str]:
    for word in _WRITTEN.findall(fold(text).lower()):
        yield word
        yield from re.split(r"[-^]", word)


def own_words(names_of_paper: Iterable[str]) -> frozenset[str]:
    """The words, in lower case, of what a paper calls itself: its title's first part, its names."""
    return frozenset(
        word for name in names_of_paper for word in _WRITTEN.findall(fold(name).lower())
    )


@lru_cache(maxsize=8192)
def figures(sentence: str) -> tuple[Figure, ...]:
    """The numbers of *sentence*, in figures or in words, but those that are part of a name.

    >>> [(one.unit, one.behind[:2]) for one in figures("GPT-4 solves 12% of the 300 tasks.")]
    [('percent', ('of', 'the')), ('', ('task',))]
    """
    words = [
        word.rstrip(".,") or word for word in _TOKEN.findall(without_numbering(fold(sentence)))
    ]
    return tuple(_figures(words, [word.lower() for word in words]))


def _figures(words: list[str], lower: list[str]) -> Iterator[Figure]:
    for place, word in enumerate(lower):
        written = word.lstrip("$€£")[:1].isdigit()
        known = word in _NUMBER_WORDS or word in _MULTIPLIES or word in _FRACTIONS
        if not (written or known or _WORDED.match(word)):
            continue
        if written and place > 1 and _numbers_a_name(words[place - 1], word):
            continue
        behind = _until_stop(lower[place + 1 : place + 9])
        if not written or "-" in word:
            behind = [*_parts(word.partition("-")[2]), *behind]
        else:
            behind = [*_parts(word.lstrip("$€£%0123456789.,")), *behind]  # the W of "13W"
        before = _until_stop(lower[max(0, place - 4) : place][::-1])[::-1]
        unit = _unit_of(lower, place)
        if not unit and "magnitud" in behind[:4]:
            unit = "times"
        yield Figure(unit, tuple(behind), tuple(before), written and "." in word.rstrip("."))


def _numbers_a_name(before: str, word: str) -> bool:
    """Whether a number belongs to the name before it: Llama 3, Claude 3.5."""
    return before[:1].isupper() and re.fullmatch(r"\d(?:\.\d)?", word) is not None


def _until_stop(words: list[str]) -> list[str]:
    found: list[str] = []
    for word in words:
        if word in _STOPS:
            break
        found += _parts(word) if word not in {",", "(", ")"} else []
    return found


def _unit_of(lower: list[str], place: int) -> str:
    word = lower[place]
    figure = _FIGURE.fullmatch(word)
    suffix = (figure[1] or "") if figure else ""
    following = lower[place + 1] if place + 1 < len(lower) else ""
    second = lower[place + 2] if place + 2 < len(lower) else ""
    if word[0] in "$€£" or following in _UNITS["money"] or second in _UNITS["money"]:
        return "money"
    if suffix == "%" or following in _UNITS["percent"] or second == "points":
        return "percent"
    if word in _MULTIPLIES or "times" in {suffix[:5], following[:5]} or suffix in _UNITS["times"]:
        return "times"
    if word in _FRACTIONS:
        return "fraction"
    if suffix == "g":  # "a 24G GPU"
        return "bytes"
    for unit in ("times", "time", "bytes"):
        if following in _UNITS[unit] or (len(suffix) > 1 and suffix in _UNITS[unit]):
            return unit
    if re.fullmatch(r"(?:19|20)\d\d", word):
        return "year"
    return "scale" if suffix in _UNITS["scale"] or following in _UNITS["scale"] else ""
