"""`python -m eval.speed`: how fast and how large the product is, each beside an alternative.

One run measures both sides of every row on the same machine. It reports and is no gate: a slow
machine is not a defect. The alternative for indexing, a cold question and memory is what
llama-index's tutorial makes: a `VectorStoreIndex` kept in its own `SimpleVectorStore` (its store
for Chroma is not among our dependencies) with our embedded model, which retrieves and writes no
answer, so that it does less than the product.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np

from eval.cases import BUNDLED, read_cases
from eval.metrics import p50, p95
from rag.errors import PaperChatError, UsageError

ROOT = Path(__file__).parent.parent
QUESTION = "What MFU does MegaScale reach?"
WARM_UP = 10  # questions asked before the clock starts
TIMEOUT = 900  # seconds for one process

ONE_BY_ONE = """
from rag.app import bundled_seeds
from rag.chunk import chunks
from rag.corpus import read
from rag.embed import load_embedded
from rag.sentences import split

embed = load_embedded()
for paper in read([bundled_seeds()]).papers:
    sentences = split(paper.id, paper.abstract)
    parts = [chunk.embedded_text for chunk in chunks(paper, sentences)]
    for text in (*parts, *(sentence.text for sentence in sentences)):
        embed([text])
"""
"""The texts that the product indexes, embedded one after the other on one core."""

TUTORIAL = """
import sys
from llama_index.core import Document, StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.embeddings import BaseEmbedding
from eval.speed import peak_memory
from rag.embed import load_embedded

class Embedded(BaseEmbedding):
    def _get_text_embedding(self, text):
        return load_embedded()([text])[0].tolist()

    def _get_query_embedding(self, query):
        return self._get_text_embedding(query)

    async def _aget_query_embedding(self, query):
        return self._get_text_embedding(query)

folder, *question = sys.argv[1:]
if question:
    context = StorageContext.from_defaults(persist_dir=folder)
    index = load_index_from_storage(context, embed_model=Embedded())
    for node in index.as_retriever(similarity_top_k=5).retrieve(question[0]):
        print(node.text)
else:
    from rag.app import bundled_seeds
    from rag.corpus import read
    papers = read([bundled_seeds()]).papers
    documents = [Document(text=paper.title + "\\n" + paper.abstract) for paper in papers]
    index = VectorStoreIndex.from_documents(documents, embed_model=Embedded())
    index.storage_context.persist(folder)
print(peak_memory())
"""
"""llama-index as its tutorial has it: index the seeds into a folder, or ask what is there."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One row: the product's value beside an alternative's, both smaller is better."""

    key: str
    name: str
    unit: str  # s, ms or MB
    value: float
    target: float | None  # at most
    alternative: str
    other: float | None  # None where the alternative could not run

    @property
    def ratio(self) -> float | None:
        """The product's value divided by the alternative's."""
        return self.value / self.other if self.other else None

    @property
    def verdict(self) -> str:
        """Whether the target is met; empty where there is none."""
        if self.target is None:
            return ""
        return "met" if self.value <= self.target else "missed"


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of each question, by the clock and of processor time."""

    clock: Sequence[float]
    processor: Sequence[float]


@dataclass(frozen=True, slots=True)
class Warm:
    """What questions cost in a process that is ready; memory in MB."""

    product: Times
    unread: Times  # with PAPERCHAT_RERANK=off
    lexical: Times
    dense: Times
    memory: float | None


def table(rows: Sequence[Measured]) -> str:
    """The rows as a Markdown table."""
    head = "| measured | value | target | | alternative | its value | ratio |"
    return "\n".join([head, "| :-- | --: | --: | :-- | :-- | --: | --: |", *map(_line, rows)])


def _line(row: Measured) -> str:
    ratio = "–" if row.ratio is None else f"{row.ratio:.2f}"
    cells = (
        row.name,
        _quantity(row.value, row.unit),
        "" if row.target is None else f"≤ {row.target:g} {row.unit}",
        row.verdict,
        row.alternative,
        "not measured" if row.other is None else _quantity(row.other, row.unit),
        ratio,
    )
    return "| " + " | ".join(cells) + " |"


def _quantity(value: float, unit: str) -> str:
    """*value* with three digits at least: 0.123 s, 12.3 ms, 345 MB."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:.{digits}f} {unit}"


def record(rows: Sequence[Measured], load: float) -> str:
    """Everything in one line of JSON."""
    measured = {row.key: asdict(row) | {"ratio": row.ratio} for row in rows}
    return json.dumps({"machine": machine(), "load": load, "measured": measured})


def machine() -> str:
    """The machine in words: how many cores, of which kind."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine().replace('_', '-').lower()}"


def load_average() -> float:
    """Processes that wanted a core in the last minute, 0 where the system does not say."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0


def peak_memory(status: Path = Path("/proc/self/status")) -> float | None:
    """The most memory that this process has held, in MB; None where the system does not say.

    Not `resource.getrusage`, whose figure a child inherits from the process that started it.
    """
    try:
        text = status.read_text(encoding="ascii")
    except OSError:
        return None
    found = [line.split() for line in text.splitlines() if line.startswith("VmHWM:")]
    return int(found[0][1]) / 1024 if found else None


# Processes


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, str]:
    """How long *command* takes from start to end, and what it prints. Raises UsageError."""
    started = perf_counter()
    ran = subprocess.run(
        command, env=dict(environment), capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    elapsed = perf_counter() - started
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise UsageError(f"`{' '.join(command)[:60]}` failed ({last}); mend that and run again")
    return elapsed, ran.stdout


def median_seconds(command: Sequence[str], environment: Mapping[str, str], runs: int) -> float:
    """The median of *runs* runs, after one that is not counted."""
    seconds(command, environment)
    return float(p50(np.array([seconds(command, environment)[0] for _ in range(runs)])))


def _environment(folder: Path) -> dict[str, str]:
    """The environment without the user's settings, and the store in *folder*."""
    mine = ("PAPERCHAT_", "OPENAI_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return kept | {"PYTHONPATH": str(ROOT), "PAPERCHAT_STORE": str(folder / "store")}


@contextmanager
def _optional(what: str) -> Iterator[None]:
    """Let an alternative that cannot run cost only its own figures."""
    try:
        yield
    except UsageError as error:
        print(f"{what}: not measured, {error}", file=sys.stderr)


def measure_processes(folder: Path, runs: int) -> tuple[list[Measured], float | None]:
    """The rows of whole commands, and the memory of the alternative in MB."""
    environment = _environment(folder)
    product = [sys.executable, "-m", "ui.cli"]
    tutorial = [sys.executable, "-c", TUTORIAL, str(folder / "tutorial")]
    tell("indexing the seeds")
    index, _ = seconds([*product, "index"], environment)
    tell("indexing the seeds, alternatives")
    plain, _ = seconds([sys.executable, "-c", ONE_BY_ONE], environment)
    built = asked = memory = None
    with _optional("llama-index"):
        built, _ = seconds(tutorial, environment)
        asked = median_seconds([*tutorial, QUESTION], environment, runs)
        said = seconds([*tutorial, QUESTION], environment)[1].split()[-1]
        memory = None if said == "None" else float(said)
    tell("cold commands")
    cold = median_seconds([*product, "ask", QUESTION], environment, runs)
    shown = median_seconds([*product, "--help"], environment, runs)
    nothing = median_seconds([sys.executable, "-c", "pass"], environment, runs)
    first = "first `paperchat index` of the seeds, from nothing"
    one = "the same texts embedded one by one on one core, nothing stored"
    stack = "llama-index tutorial stack, one vector a paper"
    ask = f'cold `paperchat ask "{QUESTION}"`'
    return [
        Measured("index_one_by_one", first, "s", index, 25, one, plain),
        Measured("index", first, "s", index, 25, stack, built),
        Measured("cold_ask", ask, "s", cold, 3, "llama-index tutorial stack, papers only", asked),
        Measured("help", "`paperchat --help`", "s", shown, 0.3, "`python -c pass`", nothing),
    ], memory


# One process that is ready


def milliseconds(ways: Sequence[Callable[[str], object]], questions: Sequence[str]) -> list[Times]:
    """How long each of *ways* takes for each of *questions*, the first few asked once before.

    They take turns at every question, so that whatever else the machine does meets them alike.
    """
    for question in questions[:WARM_UP]:
        for way in ways:
            way(question)
    taken = np.array([[_timed(way, question) for way in ways] for question in questions])
    return [Times(*taken[:, place].T.tolist()) for place in range(len(ways))]


def _timed(way: Callable[[str], object], question: str) -> tuple[float, float]:
    clock, processor = perf_counter(), process_time()
    way(question)
    return 1000 * (perf_counter() - clock), 1000 * (process_time() - processor)


def measure_warm(store_folder: Path, questions: Sequence[str]) -> Warm:
    """Ask *questions* of the product and of its lexical and its dense part alone.

    The parts read a second copy of the index, which counts into the memory.
    """
    from rag import store  # late: what the product needs is part of what is measured
    from rag.app import choose_embedder, open_chat
    from rag.settings import Settings
    from rag.words import query_terms

    settings = Settings.from_environment(store=store_folder, environment={})
    tell("warm questions")
    embedder = choose_embedder(settings)
    snapshot = store.load(settings.store, store.fingerprint(embedder))
    product, unread, lexical, dense = milliseconds(
        [
            open_chat(settings).ask,
            open_chat(replace(settings, rerank=False)).ask,
            lambda question: snapshot.lexical.search(query_terms(question), 20),
            lambda question: np.argsort(-(snapshot.chunks @ embedder([question])[0])),
        ],
        questions,
    )
    return Warm(product, unread, lexical, dense, peak_memory())


def warm_rows(warm: Warm, other_memory: float | None) -> list[Measured]:
    """The rows of a process that is ready."""
    n = len(warm.product.clock)
    off = "the same with `PAPERCHAT_RERANK=off`"
    unread = ("`PAPERCHAT_RERANK=off`", warm.unread)
    dense = ("dense part alone (question and whole abstracts)", warm.dense)
    lexical = ("BM25 part alone", warm.lexical)
    rows = [
        *_times_rows("read", "warm question", 120.0, warm.product, unread),
        *_times_rows("unread_dense", off, 30.0, warm.unread, dense),
        *_times_rows("unread_lexical", off, 30.0, warm.unread, lexical),
    ]
    if warm.memory is None:
        return rows
    peak, stack = f"peak memory, {n} questions", "llama-index tutorial stack after one question"
    return [*rows, Measured("memory", peak, "MB", warm.memory, 700, stack, other_memory)]


def _times_rows(
    key: str, what: str, target: float, ours: Times, alternative: tuple[str, Times]
) -> list[Measured]:
    """Median, 95th percentile and processor time of *ours* beside those of the *alternative*."""
    name, other = alternative
    n = len(ours.clock)
    rows = []
    for short, title, least, statistic, mine, theirs in (
        ("p50", "median", target, p50, ours.clock, other.clock),
        ("p95", "95th percentile", None, p95, ours.clock, other.clock),
        ("cpu", "median of processor time", None, p50, ours.processor, other.processor),
    ):
        value, beside = (float(statistic(np.array(side))) for side in (mine, theirs))
        said = f"{what}, {title} of {n}"
        rows.append(Measured(f"{short}_{key}", said, "ms", value, least, name, beside))
    return rows


# The command


def tell(stage: str) -> None:
    """Say on standard error what is being measured."""
    print(stage, file=sys.stderr, flush=True)


def report(rows: Sequence[Measured], loads: tuple[float, float], runs: int) -> str:
    """The report as Markdown; *loads* at the start and at the end."""
    return (
        "# Speed and size\n\n"
        "Made by `python -m eval.speed --out eval/speed.md`.\n\n"
        f"Machine: {machine()}; load average {loads[0]:g} at the start and {loads[1]:g} at the\n"
        "end: above the number of cores, times are longer than on a machine of one's own. Cold\n"
        f"commands are new processes with their files in the disk cache, median of {runs}.\n"
        "Ratio: ours divided by the alternative's. The llama-index tutorial stack is a\n"
        "`VectorStoreIndex` in its `SimpleVectorStore` (its store for Chroma is not among our\n"
        "dependencies) with our embedded model; it finds papers and writes no answer. Lists over\n"
        "a large collection are timed by `python -m eval.large` ([large.md](large.md)).\n\n"
        + table(rows)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 whatever the figures are, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m eval.speed", description=__doc__)
    runs = "runs of each cold command, of which the median counts (default: 5)"
    parser.add_argument("--runs", type=int, default=5, metavar="N", help=runs)
    write = "write the table to this file too"
    parser.add_argument("--out", type=Path, metavar="FILE", help=write)
    options = parser.parse_args(arguments)
    load = load_average()
    try:
        questions = [case.question for case in read_cases((BUNDLED,))]
        with TemporaryDirectory(prefix="paperchat-speed-", ignore_cleanup_errors=True) as made:
            rows, other_memory = measure_processes(Path(made), max(1, options.runs))
            rows += warm_rows(measure_warm(Path(made) / "store", questions), other_memory)
        text = report(rows, (load, load_average()), max(1, options.runs))
        if options.out:
            options.out.write_text(text + "\n", encoding="utf-8")
    except (PaperChatError, OSError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{text}\n\n{record(rows, load)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
