"""The nouns: frozen values that every floor shares, and the seams between the parts.

An `Answer` is its own trace: the page, the command line and the evals all read the same value.
Spans are half-open character ranges of the abstract, so `abstract[start:end] == text` always.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Shape = Literal["answer", "comparison", "list", "chat"]
Abstention = Literal["off_topic", "no_paper", "not_stated"]
Verdict = Literal["supported", "contradicted", "not_supported", "unverified"]
Mode = Literal["extractive", "llm"]


@dataclass(frozen=True, slots=True)
class Paper:
    """A title with its abstract, and where it was read."""

    id: str  # hash of the normalised title: stable across files, runs and machines
    title: str
    abstract: str
    content_hash: str  # hash of title and abstract exactly as stored
    sources: tuple[str, ...] = ()  # file names, sorted, each once
    external_id: str | None = None  # the record's own id in its file (`_id`, `id`, arXiv number)
    year: int | None = None
    authors: tuple[str, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that could not become a paper."""

    path: str
    line: int  # counts from 1
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Corpus:
    """What reading a set of files gave: papers in reading order, each once."""

    papers: tuple[Paper, ...]
    rejected: tuple[Rejected, ...]
    records: int  # well-formed records read, duplicates included
    notes: tuple[str, ...] = ()  # one sentence each, e.g. a longer abstract kept for a title

    @property
    def duplicates(self) -> int:
        """Records that were a paper already read."""
        return self.records - len(self.papers)


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit of evidence: `abstract[start:end] == text`."""

    paper_id: str
    number: int  # counts from 0 within its abstract
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A window of consecutive sentences within a token budget, with the paper's title."""

    paper_id: str
    number: int  # counts from 0 within its abstract
    start: int
    end: int
    title: str
    text: str  # abstract[start:end]

    @property
    def embedded_text(self) -> str:
        """The text that the embedding model and Chroma see: title first."""
        return f"{self.title}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A paper found for a question."""

    paper: Paper
    rank: int  # 1 is best
    score: float  # larger is better; only comparable within one retrieval
    lexical: float = 0.0  # BM25, 0 where no word matched
    whole: float = 0.0  # cosine of the question to the best chunk, -1 to 1
    best_sentence: float = 0.0  # cosine of the question to the closest sentence, -1 to 1
    named: bool = False  # the question names this paper or a system its abstract introduces
    sentences: tuple[tuple[Sentence, float], ...] = ()  # best first, with cosine to the question


@dataclass(frozen=True, slots=True)
class Evidence:
    """An exact span of one abstract: `abstract[start:end] == text`."""

    paper_id: str
    title: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered reference to a paper and the spans of it that prove a statement."""

    n: int  # counts from 1; one number per paper within an answer
    paper_id: str
    title: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One shown sentence with its citations and verdict."""

    text: str
    citations: tuple[Citation, ...]
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    label: str = ""  # under a comparison: "Shared" or "Different"


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether one abstract bears a sentence, and what of it speaks for or against."""

    verdict: Verdict
    score: float  # how well the abstract supports the sentence, 0 to 1
    reasons: tuple[str, ...] = ()  # for a person, e.g. "'55%' is not in the abstract, …"
    evidence: tuple[Evidence, ...] = ()  # best first


@dataclass(frozen=True, slots=True)
class Source:
    """A line of the source list under an answer."""

    n: int
    paper_id: str
    title: str


@dataclass(frozen=True, slots=True)
class Subject:
    """One of the things a comparison sets side by side."""

    name: str  # as the question names it
    paper_id: str | None = None
    title: str | None = None  # None where no paper here is about it

    @property
    def found(self) -> bool:
        """Whether the collection holds a paper about it."""
        return self.paper_id is not None


NOT_STATED = "not stated in the abstract"
"""What a cell says where the abstract is silent, and nothing else does."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one subject's abstract says on one axis: an exact quotation, or NOT_STATED."""

    text: str = NOT_STATED
    citations: tuple[Citation, ...] = ()

    @property
    def stated(self) -> bool:
        """Whether the abstract says anything on the axis."""
        return bool(self.citations)


@dataclass(frozen=True, slots=True)
class Table:
    """A comparison: `cells[subject][axis]`, a row of cells for every subject, none missing."""

    subjects: tuple[Subject, ...]
    axes: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]
    cautions: tuple[str, ...] = ()  # per axis: why its figures cannot be compared; "" if they can


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the collection an answer was decided on."""

    papers_in_corpus: int
    papers_read: int
    matched: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a language model was paid for; all zero where none was asked."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated: bool = False
    cost_usd: float | None = None

    def __add__(self, other: Usage) -> Usage:
        """What both have cost; estimated if one is, and without a price if none has one."""
        costs = [usage.cost_usd for usage in (self, other) if usage.cost_usd is not None]
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.estimated or other.estimated,
            sum(costs) if costs else None,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person is shown, and everything needed to prove it and to repeat it."""

    question: str
    standalone_question: str  # after resolving the conversation
    shape: Shape
    mode: Mode
    statements: tuple[Statement, ...] = ()
    sources: tuple[Source, ...] = ()  # what statements cite; for not_stated, the papers at hand
    abstention: Abstention | None = None
    message: str = ""  # our own words: a greeting's reply, or why nothing is answered
    table: Table | None = None  # of a comparison
    coverage: Coverage | None = None  # of a list
    near: tuple[Source, ...] = ()  # near misses of a list, offered and not counted
    removed: tuple[Statement, ...] = ()  # a model's sentences that the check took out, with why
    notice: str = ""  # one line for a person, e.g. why a model's answer was not used
    pending: str = ""  # words of a sentence that is being written, without markers, not checked
    retrieved: tuple[Hit, ...] = ()  # best first, each paper once
    papers_in_corpus: int = 0
    index: str = ""  # hash of the index generation
    model: str | None = None  # the language model, if one wrote
    usage: Usage = Usage()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    trace: Mapping[str, str] = field(default_factory=dict)  # why: route, abstention scores, …

    @property
    def abstained(self) -> bool:
        """Whether nothing was claimed, and `abstention` says of which kind."""
        return self.abstention is not None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a verb made of a question, before it is verified; fields as in `Answer`."""

    shape: Shape
    statements: tuple[Statement, ...] = ()
    sources: tuple[Source, ...] = ()
    abstention: Abstention | None = None
    message: str = ""
    table: Table | None = None
    coverage: Coverage | None = None
    near: tuple[Source, ...] = ()
    removed: tuple[Statement, ...] = ()
    notice: str = ""
    pending: str = ""
    retrieved: tuple[Hit, ...] = ()
    trace: Mapping[str, str] = field(default_factory=dict)
    mode: Mode = "extractive"
    model: str | None = None
    usage: Usage = Usage()
    found_at: float = 0.0  # `time.perf_counter()` when retrieval had ended


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What one `index` run did, in papers (records for duplicate and rejected)."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    duplicate: int = 0
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()
    rebuilt: str = ""  # why everything was embedded again; empty if it was not
    truncated: int = 0  # texts longer than the embedding model reads


class Embedder(Protocol):
    """Texts to unit vectors, float32 (n, dim), row i for text i; dim never changes."""

    @property
    def fingerprint(self) -> str:
        """Hash or name that changes whenever the vectors would."""
        ...

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed *texts*; *progress* is told how many more are done."""
        ...

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of *texts* are longer than the model reads."""
        ...


@dataclass(frozen=True, slots=True)
class PairRead:
    """What a `PairReader` makes of a question beside a paper; logits, 0 is as likely as not."""

    relevance: float  # the paper is one that is meant
    answered: float  # what was read of it says the answer
    evidence: NDArray[np.float32]  # (sentences,), each is evidence for the answer


class PairReader(Protocol):
    """Reads a question beside each pair of a title and sentences of its abstract."""

    def __call__(
        self, question: str, pairs: Sequence[tuple[str, Sequence[str]]]
    ) -> Sequence[PairRead]: ...


@dataclass(frozen=True, slots=True)
class ClaimRead:
    """What a `ClaimReader` makes of a sentence beside an abstract; the three sum to 1."""

    supported: float
    contradicted: float
    not_supported: float
    evidence: NDArray[np.float32]  # (sentences,), 0 to 1: how much each says about the claim


class ClaimReader(Protocol):
    """Reads a sentence beside the title and sentences of the abstract that it cites."""

    def __call__(self, claim: str, title: str, sentences: Sequence[str]) -> ClaimRead: ...


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of what a language model is given."""

    role: Literal["system", "user", "assistant"]
    content: str


class Reply(Protocol):
    """What a language model says, piece by piece, as it says it."""

    def __iter__(self) -> Iterator[str]:
        """The pieces. Raises ModelError, if need be after some of them."""
        ...

    @property
    def usage(self) -> Usage:
        """What it has cost so far; whole once the pieces have ended."""
        ...

    @property
    def finished(self) -> str:
        """Why it ended: "stop", "length" if it was cut, or another word; empty until it has."""
        ...

    def close(self) -> None:
        """Stop listening, and free the server; does nothing the second time."""
        ...


class Chat(Protocol):
    """A language model."""

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""
        ...

    def __call__(
        self, messages: Sequence[Message], most_tokens: int = 1_000, as_json: bool = False
    ) -> Reply:
        """Begin an answer of at most *most_tokens*; *as_json* asks for one JSON object.

        Raises ModelError if this call cannot be made; what the server refuses, the reply raises.
        """
        ...


class Judge(Protocol):
    """Whether the abstracts that a sentence cites bear it."""

    def __call__(self, claim: str, papers: Sequence[Paper]) -> Judgement:
        """Judge *claim* by *papers*, one or more. What cannot be judged is `unverified`."""
        ...


class Retriever(Protocol):
    """The k best papers for a question, best first, each once."""

    def __call__(self, question: str, k: int) -> Sequence[Hit]: ...


class Progress(Protocol):
    """Told what is being done: a stage's name, how much is done, how much there is."""

    def __call__(self, stage: str, done: int, total: int) -> None: ...
