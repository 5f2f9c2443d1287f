"""`python -m eval.load --minutes 5`: many people at once, while somebody adds and removes papers.

    python -m eval.load --store DIR --minutes 5 --people 64 --out eval/load.md

The page, a process of its own, is asked over its REST interface: questions of every shape from the
cases, comparisons and statements to be checked. Meanwhile the real command brings ten papers in,
exchanges them for others and removes them, round and round, so that the collection is always in
one of three states. Each state is first asked by one person alone, which gives the right answers
and the times to compare with. Under load every reply must be of one of these states, equal to what
the lone person was told in that state, with each title and each span of evidence exact in its
papers. Memory is looked at all the while. Exit code 1 if any reply was wrong or missing, or memory
grew; the times are told and bound nothing, since they are the machine's.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from eval.cases import read_cases
from eval.page import memory, served
from eval.speed import load_average, machine
from rag.catalog import Catalog
from rag.errors import PaperChatError

EXTRA = 10  # papers that come and go
GROWTH = 10.0  # percent by which memory may grow
WARM = 0.2  # the first part of the time, in which caches fill, is left out of the memory's growth
PAUSE = 1.0  # seconds between two updates
SHAPES = ("answer", "comparison", "list", "silence", "statement")


@dataclass(frozen=True, slots=True)
class Call:
    """One thing that is asked."""

    shape: str
    path: str
    body: str


@dataclass(frozen=True, slots=True)
class State:
    """The collection between two updates."""

    papers: Mapping[str, str]  # title to abstract
    replies: Mapping[Call, str]  # what a lone person was told, in the form of `essence`


@dataclass(slots=True)
class Crowd:
    """What happened under load."""

    states: Mapping[str, State]  # by the index's hash
    until: float = 0.0
    times: dict[str, list[float]] = field(default_factory=dict)
    generations: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    updates: int = 0
    memory: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it and print the report: 0 if all was right, 1 if not, 2 if it could not run."""
    parser = argparse.ArgumentParser(prog="python -m eval.load", description=__doc__)
    parser.add_argument("--store", type=Path, required=True, help="its papers are asked, in a copy")
    parser.add_argument("--minutes", type=float, default=5.0, help="default: 5")
    parser.add_argument("--people", type=int, default=64, help="at once (default: 64)")
    parser.add_argument(
        "--each", type=int, default=12, help="questions of each shape (default: 12)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report here too")
    options = parser.parse_args(arguments)
    try:
        with TemporaryDirectory(prefix="paperchat-load-", ignore_cleanup_errors=True) as made:
            text, well = run(Path(made), options)
    except (PaperChatError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    print(text, end="")
    return int(not well)


def run(place: Path, options: argparse.Namespace) -> tuple[str, bool]:
    """Prepare, load and report; whether all was right."""
    rounds = _files(place, options.store)
    calls = chosen(options.each)
    store = place / "store"
    _index(store, rounds[0])
    states, alone = dict[str, State](), list[float]()
    with served(store) as (address, process, _):
        _await(address)
        for files in rounds:
            _index(store, files)
            identity, papers = _live(store)
            replies = {}
            for call in calls:
                began = time.perf_counter()
                reply = _until(address, call, identity)
                alone.append(time.perf_counter() - began)
                replies[call] = essence(reply)
            states[identity] = State(papers, replies)
        crowd = Crowd(states)
        before = load_average()
        _load(crowd, address, process, store, rounds, options)
    return report(crowd, alone, options, before)


def chosen(each: int) -> tuple[Call, ...]:
    """*each* calls of every shape, from the bundled cases, evenly spread."""
    by_shape: dict[str, list[Call]] = {shape: [] for shape in SHAPES}
    for case in read_cases():
        if case.turns:  # the interface takes one question at a time
            continue
        asked = Call("answer", "/api/ask", json.dumps({"question": case.question}))
        if case.type == "statement" and case.gold_papers:
            body = {"claim": case.question, "title": case.gold_papers[0]}
            asked = Call("statement", "/api/verify", json.dumps(body))
        elif case.sides:
            asked = Call("comparison", asked.path, asked.body)
        elif case.count is not None:
            asked = Call("list", asked.path, asked.body)
        elif not case.answerable:
            asked = Call("silence", asked.path, asked.body)
        by_shape[asked.shape].append(asked)
    return tuple(
        call for calls in by_shape.values() for call in calls[:: max(1, len(calls) // each)][:each]
    )


# --- The collection and its states ----------------------------------------------------------------


def _files(place: Path, source: Path) -> list[tuple[Path, ...]]:
    """The papers of the store *source*, alone and with one or another ten of ours, as files."""
    with closing(Catalog(source)) as catalog:
        held = catalog.papers()
    base = place / "base.jsonl"
    _write(base, [{"title": paper.title, "abstract": paper.abstract} for paper in held])
    rounds: list[tuple[Path, ...]] = [(base,)]
    for number in range(2):
        extra = place / f"extra-{number}.jsonl"
        _write(extra, [_generated(EXTRA * number + n) for n in range(EXTRA)])
        rounds.append((base, extra))
    return rounds


def _write(file: Path, rows: Sequence[Mapping[str, str]]) -> None:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _generated(number: int) -> dict[str, str]:
    return {
        "title": f"Heron {number}: A Study of {number + 20} Ponds",
        "abstract": f"Heron {number} visits {number + 20} ponds. It stands on one leg in each.",
    }


def _index(store: Path, files: Sequence[Path]) -> None:
    """Bring the store to what *files* hold, by the real command."""
    command = [sys.executable, "-m", "ui.cli", "index", "--prune", "--store", store, *files]
    done = subprocess.run(
        [str(one) for one in command],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"index ended with {done.returncode}: {done.stderr[-300:]}")


def _environment() -> dict[str, str]:
    """One in which nothing is set up: no key, no store of somebody's."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PAPERCHAT", "OPENAI"))}


def _live(store: Path) -> tuple[str, dict[str, str]]:
    with closing(Catalog(store)) as catalog:
        manifest, papers = catalog.snapshot()
    return manifest.index_hash, {paper.title: paper.abstract for paper in papers}


# --- Asking ---------------------------------------------------------------------------------------


def _ask(address: str, call: Call, seconds: float = 120.0) -> dict[str, Any]:
    """The reply to one call. Raises OSError if there is none."""
    parts = urlsplit(address)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    with closing(line):
        line.request("POST", call.path, call.body, {"content-type": "application/json"})
        reply = line.getresponse()
        text = reply.read()
    if reply.status != 200:
        raise OSError(f"status {reply.status}: {text[:200]!r}")
    found: dict[str, Any] = json.loads(text)
    return found


def _await(address: str, seconds: float = 300.0) -> None:
    """Wait until the page answers."""
    last = time.monotonic() + seconds
    ready = Call("", "/api/search", json.dumps({"query": "ready", "n": 1}))
    while time.monotonic() < last:
        try:
            _ask(address, ready)
            return
        except OSError:
            time.sleep(0.3)
    raise OSError(f"the page did not answer within {seconds:.0f} s")


def _until(address: str, call: Call, identity: str) -> dict[str, Any]:
    """The reply to *call* of the generation *identity*, which the page takes up by itself."""
    reply = _ask(address, call)
    while "index" in reply and reply["index"] != identity:
        reply = _ask(address, call)
    return reply


def essence(reply: Mapping[str, Any]) -> str:
    """What must be the same whenever the same is asked of the same papers."""
    left = {"timings_ms", "usage", "id", "turn", "index"}
    return json.dumps({k: v for k, v in reply.items() if k not in left}, sort_keys=True)


def wrong(reply: Mapping[str, Any], call: Call, states: Mapping[str, State]) -> str:
    """What is wrong with *reply*, in words; empty if nothing is."""
    if "index" not in reply:  # a statement's verdict rests on one abstract, which does not change
        same = {state.replies[call] for state in states.values()}
        return "" if essence(reply) in same else f"another verdict: {essence(reply)[:200]}"
    state = states.get(reply["index"])
    if state is None:
        return f"an answer of an unknown generation {reply['index'][:12]}"
    cells = [cell for row in (reply["table"] or {}).get("cells", []) for cell in row]
    for part in (*reply["statements"], *cells):
        for citation in part["citations"]:
            abstract = state.papers.get(citation["title"])
            if abstract is None:
                return f"cited {citation['title']!r}, which is not in the collection"
            for span in citation["evidence"]:
                if abstract[span["start"] : span["end"]] != span["text"]:
                    return f"evidence that is not in {citation['title']!r}: {span['text'][:80]!r}"
    said, alone = essence(reply), state.replies[call]
    if said != alone:
        at = next((n for n, (a, b) in enumerate(zip(said, alone, strict=False)) if a != b), 0)
        here, there = (text[max(0, at - 60) : at + 60] for text in (said, alone))
        return f"another answer than alone to {call.body[:120]}: {here!r}, alone {there!r}"
    return ""


# --- The load -------------------------------------------------------------------------------------


def _load(
    crowd: Crowd,
    address: str,
    process: int,
    store: Path,
    rounds: Sequence[Sequence[Path]],
    options: argparse.Namespace,
) -> None:
    """Let everybody ask until the time is over, the indexer at work."""
    crowd.until = time.monotonic() + options.minutes * 60
    calls = list(next(iter(crowd.states.values())).replies)
    threads = [
        threading.Thread(target=_person, args=(crowd, address, calls, number))
        for number in range(options.people)
    ]
    threads.append(threading.Thread(target=_indexer, args=(crowd, store, rounds)))
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() < crowd.until:
            crowd.memory.append(memory(process))
        time.sleep(2.0)


def _person(crowd: Crowd, address: str, calls: Sequence[Call], number: int) -> None:
    dice = random.Random(number)
    while time.monotonic() < crowd.until:
        call = dice.choice(calls)
        began = time.perf_counter()
        try:
            reply = _ask(address, call)
            problem = wrong(reply, call, crowd.states)
        except (OSError, ValueError, http.client.HTTPException) as error:
            reply, problem = {}, f"{type(error).__name__}: {error}"
        taken = time.perf_counter() - began
        with crowd.lock:
            crowd.times.setdefault(call.shape, []).append(taken)
            crowd.generations[str(reply.get("index", ""))] += 1
            if problem:
                crowd.problems.append(problem)


def _indexer(crowd: Crowd, store: Path, rounds: Sequence[Sequence[Path]]) -> None:
    for files in cycle(rounds):
        if time.monotonic() >= crowd.until:
            return
        try:
            _index(store, files)
            crowd.updates += 1
        except OSError as error:
            with crowd.lock:
                crowd.problems.append(str(error))
        time.sleep(PAUSE)


# --- The report -----------------------------------------------------------------------------------


def growth(sampled: Sequence[float]) -> float:
    """By how many percent the last fifth of *sampled* memory is above the first fifth once warm."""
    warm = sampled[int(len(sampled) * WARM) :]
    part = max(1, len(warm) // 5)
    first, last = (statistics.median(some) for some in (warm[:part], warm[-part:]))
    return (last / first - 1) * 100


def report(
    crowd: Crowd, alone: Sequence[float], options: argparse.Namespace, before: float
) -> tuple[str, bool]:
    """The figures as Markdown, and whether all was right."""
    asked = sorted(time for times in crowd.times.values() for time in times)
    grown = growth(crowd.memory) if crowd.memory else 0.0
    well = not crowd.problems and grown <= GROWTH and bool(asked)
    one, many = (_quantile(times, 0.5) for times in (alone, asked))
    lines = [
        "# Many people at once while papers come and go",
        "",
        f"Made by `python -m eval.load --store DIR --minutes {options.minutes:g} --people"
        f" {options.people}` on {machine()}; {before:.1f} processes wanted a core before it began.",
        "",
        "| measure | |",
        "| :-- | --: |",
        f"| people at once | {options.people} |",
        f"| replies in {options.minutes:g} min | {len(asked):,} |",
        f"| updates by the indexer meanwhile | {crowd.updates} |",
        f"| states of the collection that answered | {len(set(crowd.generations) - {''})} |",
        f"| errors, wrong citations, answers other than alone | {len(crowd.problems)} |",
        f"| memory of the page, first and last fifth once warm | {grown:+.1f} % |",
        f"| memory in each tenth of the time | {_tenths(crowd.memory)} MB |",
        f"| one person alone, p50 | {one * 1000:.0f} ms |",
        f"| one person alone, p95 | {_quantile(alone, 0.95) * 1000:.0f} ms |",
        f"| under load, p50 | {many * 1000:,.0f} ms |",
        f"| under load, p95 | {_quantile(asked, 0.95) * 1000:,.0f} ms |",
        f"| p95 under load by p50 alone | {_quantile(asked, 0.95) / one:.0f} |",
    ]
    for shape, times in sorted(crowd.times.items()):
        p95 = _quantile(times, 0.95) * 1000
        lines.append(f"| … {shape}, p95 of {len(times):,} | {p95:,.0f} ms |")
    lines += ["", *(f"- {problem}" for problem in crowd.problems[:20])]
    return "\n".join(lines).rstrip() + "\n", well


def _tenths(sampled: Sequence[float]) -> str:
    """The median of each tenth of *sampled*."""
    size = max(1, len(sampled) // 10)
    parts = [sampled[start : start + size] for start in range(0, len(sampled), size)]
    return ", ".join(f"{statistics.median(part):.0f}" for part in parts[:10])


def _quantile(times: Sequence[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


if __name__ == "__main__":
    sys.exit(main())
