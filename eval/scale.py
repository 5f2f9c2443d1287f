"""`python -m eval.scale FILE`: what a collection costs, and how that grows with its size.

    python -m eval.scale papers.jsonl.xz --sizes 385 10000 100000 --out eval/scale.md

The papers are the file's; their vectors are generated under the shipped model's name, since to
embed 100,000 abstracts takes two cores half an hour, and sentence by sentence more than an hour. So
what is written, read and multiplied is of the true size, what is found is chance, and the time to
embed is told apart, as measured on the file's first texts. Questions are embedded and read by the
true models. How much is embedded is what the product does by itself with so many papers.

    paperchat index --store DIR seeds papers.jsonl.xz
    python -m eval.scale papers.jsonl.xz --store DIR

measures a store with true vectors; where the bundled papers are among the others, so is how many of
the bundled cases of one paper still find it. It reports and is no gate.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from eval.cases import read_cases
from eval.large import QUESTIONS
from eval.speed import load_average, machine, peak_memory
from rag import corpus, indexing
from rag.app import PaperChat, choose_indexer, open_chat, way_for
from rag.catalog import FILE
from rag.embed import DIMENSION, load_embedded
from rag.errors import PaperChatError
from rag.late import Sparing
from rag.sentences import split
from rag.settings import Settings
from rag.static import load_static
from rag.text import digest, paper_id
from rag.types import Corpus, Embedder, Paper

if TYPE_CHECKING:
    from numpy.typing import NDArray

ADDED = 10  # papers in a small update
ASKED = 20  # questions of a shape
SHAPES = ("answer", "comparison", "list")
TYPES = {"single": "named", "numeric": "named", "single_paraphrase": "everyday"}  # of cases


@dataclass(frozen=True, slots=True)
class Generated:
    """An `Embedder` whose vectors depend on the text and mean nothing."""

    fingerprint: str

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Float32 (n, 384), unit rows."""
        out = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for row, text in enumerate(texts):
            seed = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            dice = np.random.default_rng(int.from_bytes(seed, "little"))
            out[row] = dice.standard_normal(DIMENSION, dtype=np.float32)
        if progress:
            progress(len(texts))
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), dtype=np.float32)

    def truncated(self, texts: Sequence[str]) -> int:
        """None: nothing is read."""
        return 0 * len(texts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 0 whatever the figures are, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m eval.scale", description=__doc__)
    parser.add_argument("papers", type=Path, metavar="FILE", help="as `paperchat index` reads it")
    parser.add_argument("--sizes", type=int, nargs="+", default=[385, 10_000], metavar="N")
    parser.add_argument("--store", type=Path, help="measure this store, made by an earlier --keep")
    parser.add_argument("--keep", type=Path, help="leave the last store in this folder")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report here too")
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)  # its own child
    options = parser.parse_args(arguments)
    if options.ask:
        print(json.dumps(ask(options.papers)))
        return 0
    try:
        load = load_average()
        papers = corpus.read([options.papers]).papers
        rows = []
        if options.store:  # in a copy, since papers are added to it
            with TemporaryDirectory(prefix="paperchat-scale-", ignore_cleanup_errors=True) as made:
                copy = Path(shutil.copytree(options.store, Path(made) / "store"))
                rows.append({**of_store(copy), "index_s": None})
        for size in [] if options.store else sorted(options.sizes):
            with TemporaryDirectory(prefix="paperchat-scale-", ignore_cleanup_errors=True) as made:
                place = options.keep or Path(made)
                rows.append(of_size(place, papers[:size]))
        text = report(rows, texts_a_second(papers[:40]), (load, load_average()))
    except (PaperChatError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")
    return 0


def of_size(folder: Path, papers: Sequence[Paper]) -> dict[str, float | None]:
    """Index *papers* into *folder*, and measure the store."""
    began = perf_counter()
    indexing.update(folder, Corpus(tuple(papers), (), len(papers)), _generated(len(papers)))
    taken = perf_counter() - began
    return {**of_store(folder), "index_s": taken}


def of_store(folder: Path) -> dict[str, float | None]:
    """Disk, start, memory, questions and small updates of the store in *folder*."""
    command = [sys.executable, "-m", "eval.scale", "--ask", str(folder)]
    asked = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    parts = {"disk_mb": ("*",), "chroma_mb": ("chroma",), "kept_mb": ("embeddings*",)}
    disk: dict[str, float | None] = {name: _size(folder, part) for name, (part,) in parts.items()}
    new = tuple(_added(number) for number in range(ADDED))
    changed = tuple(_added(number, " Again.") for number in range(ADDED))
    embedder = choose_indexer(_settings(folder), writing=True)
    for name, papers in (("add_s", new), ("replace_s", changed)):
        began = perf_counter()
        indexing.update(folder, Corpus(papers, (), ADDED), embedder)
        disk[name] = perf_counter() - began
    return {**asked, **disk}


def ask(folder: Path) -> dict[str, float | None]:
    """Open the store in *folder* and ask questions of each shape, in this process."""
    began = perf_counter()
    chat = open_chat(_settings(folder))
    opened = perf_counter() - began
    papers = list(chat.papers())
    dice = random.Random(5)
    titles = [paper.title for paper in dice.sample(papers, 2 * ASKED)]
    asked = {
        "answer": [f"What is found in {title}?" for title in titles[:ASKED]],
        "comparison": [f'"{a}" vs "{b}"' for a, b in zip(titles[:8], titles[8:16], strict=True)],
        "list": list(QUESTIONS),
    }
    chat.ask(titles[-1])
    row: dict[str, float | None] = {"papers": len(papers), "open_s": opened}
    row["first_s"] = perf_counter() - began
    for shape in SHAPES:
        taken = []
        for question in asked[shape]:
            start = perf_counter()
            chat.ask(question)
            taken.append(1000 * (perf_counter() - start))
        row[f"{shape}_p50"], row[f"{shape}_p95"] = np.percentile(taken, [50, 95]).tolist()
    row["memory_mb"] = peak_memory()
    return {**row, **recall(chat, {paper.title for paper in papers})}


def recall(chat: PaperChat, titles: Collection[str]) -> dict[str, float | None]:
    """Recall@1 and @5 of the bundled cases of one paper, if all those papers are in *chat*."""
    cases = [case for case in read_cases() if case.type in TYPES and len(case.gold_papers) == 1]
    if not {case.gold_papers[0] for case in cases} <= set(titles):
        return {}
    found: dict[str, list[int]] = {group: [] for group in (*TYPES.values(), "all")}
    for case in cases:
        ranking = [hit.paper.title for hit in chat.search(case.question, 5)]
        place = ranking.index(case.gold_papers[0]) if case.gold_papers[0] in ranking else 5
        for group in (TYPES[case.type], "all"):
            found[group].append(place)
    return {
        f"{group}_{k}": float(np.mean([place < k for place in places]))
        for group, places in found.items()
        for k in (1, 5)
    }


def texts_a_second(papers: Sequence[Paper]) -> tuple[float, float]:
    """Abstracts and sentences that the true model embeds in a second."""
    abstracts = [paper.abstract for paper in papers]
    sentences = [one.text for paper in papers for one in split(paper.id, paper.abstract)]
    rates = []
    for texts in (abstracts, sentences):
        began = perf_counter()
        load_embedded()(texts)
        rates.append(len(texts) / (perf_counter() - began))
    return rates[0], rates[1]


def report(
    rows: Sequence[dict[str, float | None]],
    rates: tuple[float, float],
    loads: tuple[float, float],
) -> str:
    """The report as Markdown; *loads* at the start and at the end."""
    names = {
        "index_s": "index without embedding, s",
        "disk_mb": "disk, MB",
        "chroma_mb": "… of it Chroma",
        "kept_mb": "… of it kept vectors",
        "open_s": "open, s",
        "first_s": "open and first answer, s",
        "memory_mb": "memory at most, MB",
        **{f"{s}_{p}": f"{s}, {p}, ms" for s in SHAPES for p in ("p50", "p95")},
        "add_s": f"add {ADDED} papers, s",
        "replace_s": f"replace {ADDED} papers, s",
    }
    groups = {"named": "named or described", "everyday": "in everyday words", "all": "all"}
    if any("all_5" in row for row in rows):
        names |= {f"{g}_{k}": f"recall@{k}, {said}" for g, said in groups.items() for k in (1, 5)}
    head = "| | " + " | ".join(f"{row['papers']:,.0f}" for row in rows) + " |"
    lines = [
        f"| {said} | "
        + " | ".join(_figure(row.get(name), 3 if "@" in said else 1) for row in rows)
        + " |"
        for name, said in names.items()
    ]
    return "\n".join(
        (
            "# What a collection costs, by its size\n",
            "Made by `python -m eval.scale FILE --sizes …`. The papers are the file's, their",
            "vectors generated: see the module. Embedding comes on top, once for each text: the",
            f"shipped model made {rates[0]:.0f} abstracts and {rates[1]:.0f} sentences a second.\n",
            f"Machine: {machine()}; load average {loads[0]:g} at the start and {loads[1]:g} at the",
            "end (over 2 means that others were using the cores).\n",
            head,
            "| :-- |" + " --: |" * len(rows),
            *lines,
            "",
        )
    )


def _figure(value: float | None, decimals: int) -> str:
    if value is None:
        return "–"
    return f"{value:.{decimals}f}" if value < 100 else f"{value:,.0f}"


def _generated(papers: int) -> Embedder:
    """What makes vectors for so many *papers*, the product's own way to do it."""
    embedder, way = Generated(load_embedded().fingerprint), way_for(papers)
    return embedder if way == "full" else Sparing(load_static(), embedder, rough=way == "fast")


def _settings(folder: Path) -> Settings:
    return Settings.from_environment(store=folder, environment={})


def _added(number: int, more: str = "") -> Paper:
    title = f"An added paper, number {number}: of what is new"
    told = f"We add number {number}. It has {number + 7} figures. Nothing else is known of it."
    abstract = told + more
    return Paper(paper_id(title), title, abstract, digest(title, abstract), (FILE,))


def _size(folder: Path, pattern: str) -> float:
    files = (path for top in folder.glob(pattern) for path in (top, *top.rglob("*")))
    return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
