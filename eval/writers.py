"""`python -m eval.writers`: processes that write one store at once, killed now and then.

    python -m eval.writers --count 3000 --kills 8 papers.jsonl.xz

Each writer adds its share of the papers by the real command, `paperchat index --wait`, file after
file; a command that is killed with `kill -9` is given again, as a person or a timer would. Readers
in processes of their own ask all the while. At the end no paper may be lost or doubled, the records
that Chroma can give must be exactly those of the papers, every answer of the readers must have been
of one whole generation, and `doctor` must be content. Exit code 1 if any of that fails, 2 if the
drill could not run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from rag import chunk, corpus, lexical, vectors
from rag.app import doctor, open_chat
from rag.catalog import Catalog, version_of
from rag.errors import NoIndex, PaperChatError
from rag.sentences import split
from rag.settings import Settings
from rag.store import KINDS
from rag.types import Paper

WAIT = "3000"  # seconds that a writer waits for the others
FOUND = 50  # papers that are looked for by their titles at the end
TRIES = 20  # times that a file is given to the command


@dataclass(slots=True)
class Drill:
    """What has happened so far."""

    store: Path
    kills: int  # still to be done
    dice: random.Random
    lock: threading.Lock = field(default_factory=threading.Lock)
    killed: int = 0
    commands: int = 0
    lasts: float = 8.0  # seconds that a command took lately
    problems: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drill and print what came of it: 0 if nothing was lost, else 1."""
    parser = argparse.ArgumentParser(prog="python -m eval.writers", description=__doc__)
    parser.add_argument(
        "papers", nargs="?", type=Path, help="a file of papers (default: generated)"
    )
    parser.add_argument("--count", type=int, default=3_000, help="papers (default: 3,000)")
    parser.add_argument("--writers", type=int, default=2, help="default: 2")
    parser.add_argument("--readers", type=int, default=1, help="default: 1")
    parser.add_argument("--batch", type=int, default=150, help="papers of one command")
    parser.add_argument("--kills", type=int, default=6, help="commands to kill (default: 6)")
    parser.add_argument("--seed", type=int, default=7, help="of the random moments (default: 7)")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)  # its own child
    options = parser.parse_args(arguments)
    if options.read:
        return read(options.read)
    try:
        papers = _papers(options.papers, options.count)
    except PaperChatError as error:
        print(error, file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="paperchat-writers-", ignore_cleanup_errors=True) as made:
        drill = Drill(Path(made) / "store", options.kills, random.Random(options.seed))
        began = time.perf_counter()
        _write(drill, papers[:1])  # so that readers have something to read
        readers = [_reader(drill.store) for _ in range(options.readers)]
        _together(drill, papers, options.writers, options.batch)
        taken = time.perf_counter() - began
        seen = [_said(drill, reader) for reader in readers]
        figures = counted(drill, papers)
    print(report(drill, figures, seen, options.writers, taken))
    return int(bool(drill.problems))


def _papers(file: Path | None, count: int) -> tuple[Paper, ...]:
    """The first *count* papers of *file*, or as many generated ones. Raises PaperChatError."""
    if file:
        return corpus.read([file]).papers[:count]
    with TemporaryDirectory() as made:
        rows = [
            {
                "title": f"Wren {n}: Nests of Size {n}",
                "abstract": f"Wren {n} builds nests of {n} twigs. It sings {n % 97 + 2} songs.",
            }
            for n in range(count)
        ]
        path = Path(made) / "generated.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return corpus.read([path]).papers


def _together(drill: Drill, papers: Sequence[Paper], writers: int, batch: int) -> None:
    """Let *writers* threads, each with a process at a time, add all *papers*."""
    threads = []
    for number in range(writers):
        share = papers[number::writers]
        batches = [share[start : start + batch] for start in range(0, len(share), batch)]
        threads.append(threading.Thread(target=_each, args=(drill, batches)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _each(drill: Drill, batches: Sequence[Sequence[Paper]]) -> None:
    for batch in batches:
        _write(drill, batch)


def _write(drill: Drill, papers: Sequence[Paper]) -> None:
    """Add *papers* by the command, which is given again when it was killed."""
    file = drill.store.parent / f"{papers[0].id}.jsonl"
    rows = ({"title": paper.title, "abstract": paper.abstract} for paper in papers)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    for _ in range(TRIES):
        began = time.perf_counter()
        process = _started("-m", "ui.cli", "index", "--store", drill.store, "--wait", WAIT, file)
        stopper = _killer(drill, process)
        _, problem = process.communicate()
        if stopper:
            stopper.cancel()
        drill.commands += 1
        if process.returncode == 0:
            drill.lasts = time.perf_counter() - began
            return
        if process.returncode != -9:
            drill.problems.append(f"index ended with {process.returncode}: {problem[-300:]}")
            return
        drill.killed += 1
    drill.problems.append(f"{file.name} was killed {TRIES} times")


def _killer(drill: Drill, process: subprocess.Popen[str]) -> threading.Timer | None:
    """What will kill *process* at a random moment, if its turn has come."""
    with drill.lock:
        if drill.kills <= 0 or drill.commands == 0 or drill.dice.random() < 0.5:
            return None
        drill.kills -= 1
        stopper = threading.Timer(drill.dice.uniform(0, drill.lasts), process.kill)
    stopper.start()
    return stopper


def _started(*arguments: str | Path) -> subprocess.Popen[str]:
    root = str(Path(__file__).parent.parent)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PAPERCHAT", "OPENAI"))}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        env={**environment, "PYTHONPATH": root, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# --- Readers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader met."""

    answers: int
    generations: int
    problems: tuple[str, ...]


def _reader(store: Path) -> subprocess.Popen[str]:
    reader = _started("-m", "eval.writers", "--read", store)
    assert reader.stdout
    reader.stdout.readline()  # it has opened the store
    return reader


def _said(drill: Drill, reader: subprocess.Popen[str]) -> Seen:
    (drill.store.parent / "stop").touch()
    out, problem = reader.communicate()
    if reader.returncode != 0:
        drill.problems.append(f"a reader ended with {reader.returncode}: {problem[-300:]}")
        return Seen(0, 0, ())
    seen = Seen(**json.loads(out))
    drill.problems.extend(seen.problems)
    return seen


def read(store: Path) -> int:
    """Ask for papers of *store* by their titles until told to stop, and print what came of it."""
    chat = open_chat(Settings.from_environment(store=store, environment={}))
    print("open", flush=True)
    known = [paper.title for paper in chat.papers()]
    dice, hashes, sizes, problems = random.Random(1), dict[str, int](), [0], list[str]()
    answers = 0
    while not (store.parent / "stop").exists():
        title = dice.choice(known)
        answer = chat.ask(f"What does {title} say?")
        answers += 1
        cited = {c.title for one in answer.statements for c in one.citations}
        size = answer.papers_in_corpus
        if not all(one.verdict == "supported" for one in answer.statements):
            problems.append(f"a statement on {title} is not proved")
        if answer.statements and title not in cited:
            problems.append(f"asked for {title}, and {sorted(cited)} was cited")
        if size < sizes[-1] or hashes.setdefault(answer.index, size) != size:
            problems.append(f"{size} papers after {sizes[-1]}, index {answer.index[:8]}")
        sizes.append(size)
        if answers % 20 == 0:
            known = [paper.title for paper in chat.papers()]
        time.sleep(0.05)  # people pause, and the writers need the cores
    print(json.dumps(asdict(Seen(answers, len(hashes), tuple(problems[:5])))))
    return 0


# --- What is left ---------------------------------------------------------------------------------


def counted(drill: Drill, papers: Sequence[Paper]) -> dict[str, int]:
    """Compare what the store holds with what was given to it; differences become problems."""
    settings = Settings.from_environment(store=drill.store, environment={})
    try:
        with closing(Catalog(drill.store)) as catalog:
            manifest, held = catalog.snapshot()
    except NoIndex as error:
        drill.problems.append(str(error))
        return {}
    wanted = {paper.id for paper in papers}
    ids = Counter(paper.id for paper in held)
    titles = Counter(paper.title for paper in held)
    figures = {
        "papers given": len(wanted),
        "lost": len(wanted - ids.keys()),
        "doubled": sum(n > 1 for n in ids.values()) + sum(n > 1 for n in titles.values()),
        "foreign": len(ids.keys() - wanted),
    }
    due = _due(held)
    with vectors.VectorStore(drill.store) as database:
        for kind in KINDS:
            name = f"{kind}-{manifest.space}"
            reach, rows = database.reached(name, sys.maxsize), database.read(name)
            figures |= {f"{kind} due": due[kind], f"{kind} stored": reach.stored}
            figures |= {f"{kind} reachable by query": reach.queried}
            figures |= {f"{kind} reachable by query or id": reach.held}
            different = Counter(rows.versions) != Counter(_versions(held, kind))
            if different or not due[kind] == reach.stored == reach.held:
                drill.problems.append(f"the {kind} in Chroma are not those of the papers")
    words = lexical.LexicalIndex(drill.store / f"lexical-{manifest.space}").keys()
    figures["documents of words"] = len(words)
    if words != {version_of(paper) for paper in held}:
        drill.problems.append("the lexical index holds other papers than the catalog")
    if figures["lost"] or figures["doubled"] or figures["foreign"]:
        drill.problems.append("papers were lost or doubled")
    drill.problems += [
        f"doctor: {what}: {said}" for what, well, said in doctor(settings) if not well
    ]
    _look(drill, settings, papers)
    return figures


def _look(drill: Drill, settings: Settings, papers: Sequence[Paper]) -> None:
    """Search some of the *papers* by their titles."""
    chat = open_chat(settings)
    for paper in drill.dice.sample(list(papers), min(FOUND, len(papers))):
        if paper.id not in {hit.paper.id for hit in chat.search(paper.title, 5)}:
            drill.problems.append(f"a search for {paper.title} does not find it")


def _versions(papers: Sequence[Paper], kind: str) -> list[str]:
    """The version of each record that *papers* have of this *kind*."""
    found = []
    for paper in papers:
        sentences = split(paper.id, paper.abstract)
        parts = sentences if kind == "sentences" else chunk.chunks(paper, sentences)
        found += [version_of(paper)] * len(parts)
    return found


def _due(papers: Sequence[Paper]) -> dict[str, int]:
    return {kind: len(_versions(papers, kind)) for kind in KINDS}


def report(
    drill: Drill, figures: dict[str, int], seen: Sequence[Seen], writers: int, taken: float
) -> str:
    """The drill as lines of Markdown."""
    lines = ["| measure | |", "| :-- | --: |"]
    told = {"writers": writers, "commands": drill.commands, "killed": drill.killed, **figures}
    told |= {"answers of readers": sum(one.answers for one in seen)}
    told |= {"generations they saw": max((one.generations for one in seen), default=0)}
    told |= {"seconds": round(taken)}
    lines += [f"| {name} | {value:,} |" for name, value in told.items()]
    lines += [f"- {problem}" for problem in drill.problems[:20]]
    lost = figures.get("lost", 0)
    lines.append(f"\n{lost} of {figures.get('papers given', 0):,} papers were lost.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
