"""`python -m eval`: ask all cases, print what came of them, and say whether the gates are met.

Exit codes: 0 all gates met, 1 a gate not met, 2 the evals could not run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING

from eval import report
from eval.add import main as add
from eval.cases import BUNDLED, TYPES, Case, nearest, read_cases
from eval.report import Gate
from eval.run import TIMED, Asker, Row, run, timed
from rag.embed import CORES
from rag.errors import ModelError, PaperChatError, UsageError
from rag.settings import EMBEDDED, Settings
from rag.types import Message, Paper, Progress, Reply

if TYPE_CHECKING:
    from rag.llm import Replay

PASSED, NOT_MET, COULD_NOT_RUN = 0, 1, 2


Opener = Callable[[Path | None, Progress], AbstractContextManager[tuple[Asker, Sequence[Paper]]]]
"""Opens the product on a store, or on a new one of the bundled seeds if there is None."""


@contextmanager
def opened(store: Path | None, tell: Progress) -> Iterator[tuple[Asker, Sequence[Paper]]]:
    """The product on *store*, or on a new store made of the bundled seeds and removed after."""
    from rag.app import index, open_chat  # late: a mistake in the arguments should show at once

    settings = without_model(Settings.from_environment(store=store))
    if store:
        chat = open_chat(settings)
        yield chat.ask, chat.papers()
        return
    with TemporaryDirectory(prefix="paperchat-eval-", ignore_cleanup_errors=True) as folder:
        # Nothing of the user's own is read or written: neither store, server nor model.
        fresh = replace(settings, store=Path(folder), chroma_url=None, embedding_model=EMBEDDED)
        index(fresh, progress=tell)
        chat = open_chat(fresh)
        yield chat.ask, chat.papers()


class Watched:
    """A recording that keeps in mind which calls it does not hold: answers fall back quietly."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        self.missing: list[str] = []

    @property
    def name(self) -> str:
        """The model's name, as it was recorded."""
        return self._replay.name

    def __call__(
        self, messages: Sequence[Message], most_tokens: int = 1_000, as_json: bool = False
    ) -> Reply:
        """What was recorded. Raises ModelError where nothing was."""
        try:
            return self._replay(messages, most_tokens, as_json)
        except ModelError as error:
            self.missing.append(str(error))
            raise


@contextmanager
def written(
    options: argparse.Namespace, store: Path | None, tell: Progress
) -> Iterator[tuple[Asker, Sequence[Paper]]]:
    """The product in llm mode: with a recording in place of the model, or beside it.

    Raises UsageError without a store or a model, and if a recording lacks a call or holds one that
    was not made.
    """
    from rag.app import PaperChat, choose_chat, choose_mode  # late, as above
    from rag.llm import Recorder, Replay

    if store is None:
        raise UsageError("--record and --replay need --store: name the folder of an index.")
    settings = Settings.from_environment(store=store)
    if options.replay:
        replay = Replay(options.replay)
        watched = Watched(replay)
        chat = PaperChat(without_model(settings), chat=watched)
        yield partial(chat.ask, mode="llm"), chat.papers()
        wrong = [*watched.missing, *replay.unused()]
        if wrong:
            count = f"{len(wrong):,} calls are missing or unused"
            raise UsageError(f"{count}: record again with --record. The first: {wrong[0]}")
        return
    choose_mode("llm", settings)
    model = choose_chat(settings)
    assert model is not None  # or choose_mode had raised
    chat = PaperChat(settings, chat=Recorder(model, options.record))
    yield partial(chat.ask, mode="llm"), chat.papers()


def without_model(settings: Settings) -> Settings:
    """*settings* under which answers are extractive, so that a run costs nothing and repeats."""
    if settings.embedding_model != EMBEDDED:  # its server may need the key
        return replace(settings, model=None)
    return replace(settings, api_key=None, base_url=None, model=None)


def main(arguments: Sequence[str] | None = None, opener: Opener = opened) -> int:
    """Run the evals with *arguments* of the command line, and return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # questions are in every script
    given = list(sys.argv[1:] if arguments is None else arguments)
    adding = given[:1] == ["add"]
    options = None if adding else _parser().parse_args(given)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does
    cause: Exception
    try:
        return add(given[1:]) if options is None else _evaluate(options, opener)
    except PaperChatError as error:
        problem, cause = str(error), error
    except KeyboardInterrupt:
        print("\nStopped: run the evals again for a result.", file=sys.stderr)
        return COULD_NOT_RUN
    except Exception as error:  # an exit code of 1 would read as a gate that is not met
        name = type(error).__name__
        problem = f"The evals broke ({name}: {error}): see where with PAPERCHAT_DEBUG=1."
        cause = error
    if os.environ.get("PAPERCHAT_DEBUG", "").strip().lower() in {"1", "true", "yes"}:
        raise cause
    print(problem, file=sys.stderr)
    return COULD_NOT_RUN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m eval",
        description="Ask all cases in extractive mode, without a key, and hold the answers "
        "against their gold papers, evidence and key facts.",
        epilog="Exit codes: 0 all gates met, 1 a gate not met, 2 the evals could not run.",
    )
    add = parser.add_argument
    add("--cases", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="default: the bundled ones")
    add("--store", type=Path, metavar="DIR", help="default: a new one, made of the bundled seeds")
    add("--only", action="append", metavar="TYPE|ID", help="these cases only; may be repeated")
    add("--json", type=Path, metavar="FILE", help="write every measure and case to FILE")
    many = (
        f"questions asked at once (default: the number of cores, here {CORES}); with more than 1,"
        f" the latency is that of {TIMED} of them, asked again one at a time"
    )
    model = parser.add_mutually_exclusive_group()
    kept = "ask in llm mode, and write what the language model says to FILE"
    model.add_argument("--record", type=Path, metavar="FILE", help=kept)
    again = "ask in llm mode of what FILE has recorded; a call too many or too few is an error"
    model.add_argument("--replay", type=Path, metavar="FILE", help=again)
    add("--workers", type=positive_number, default=CORES, metavar="N", help=many)
    few = "cases listed for each failed gate (default: 10)"
    add("--failures", type=whole_number, default=10, metavar="N", help=few)
    return parser


def whole_number(value: str) -> int:
    """*value* as 0 or more. Raises ValueError, which argparse reports under this name."""
    number = int(value)
    if number < 0:
        raise ValueError(value)
    return number


def positive_number(value: str) -> int:
    """*value* as 1 or more. Raises ValueError, which argparse reports under this name."""
    number = int(value)
    if number < 1:
        raise ValueError(value)
    return number


def _evaluate(options: argparse.Namespace, opener: Opener) -> int:
    cases = chosen(read_cases(options.cases or (BUNDLED,)), options.only or ())
    gates = report.read_gates()
    whole = not options.cases and not options.only
    started = perf_counter()
    tell = teller()
    workers = options.workers
    if options.record or options.replay:
        opener = partial(written, options)
        workers = 1  # one after the other, so that a repeated call gets its own recording
    with opener(options.store, tell) as (ask, papers):
        rows = run(cases, ask, papers, partial(tell, "asking"), workers)
        rows = rows if workers == 1 else timed(rows, ask, papers)
    took = f"asked {len(rows)} cases in {perf_counter() - started:.1f} s"
    _end_progress(took if workers == 1 else f"{took}, {workers} at once")
    return conclude(rows, gates, whole, options.failures, options.json)


def chosen(cases: Sequence[Case], only: Sequence[str]) -> tuple[Case, ...]:
    """The *cases* whose type or id is one of *only*; all if that is empty.

    Raises UsageError, naming the nearest, for a word that is neither.
    """
    known = {*TYPES, *(case.id for case in cases)}
    for word in only:
        if word not in known:
            wanted = nearest(word, sorted(known))
            raise UsageError(f"There is no type or case {word!r}: did you mean {wanted!r}?")
    found = tuple(case for case in cases if not only or case.type in only or case.id in only)
    if not found:
        raise UsageError(f"No case is of the type {' or '.join(only)}: name another with --only.")
    return found


def conclude(
    rows: Sequence[Row], gates: Sequence[Gate], whole: bool, failures: int, file: Path | None
) -> int:
    """Print the report, write the record to *file* if given, and return the exit code."""
    lines = report.summarise(rows, gates)
    print(report.text(rows, lines, whole, failures))
    if file:
        _write(file, json.dumps(report.record(rows, lines, whole), ensure_ascii=False, indent=1))
    return NOT_MET if report.failed(lines, whole) else PASSED


def _write(file: Path, text: str) -> None:
    try:
        # A lone surrogate cannot be UTF-8; its escape is the same string to a JSON reader.
        file.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        problem = f"The record cannot be written to {file}: name another file with --json."
        raise UsageError(problem) from error


def teller() -> Progress:
    """A progress that tells a person on standard error every tenth, and a log begin and end."""
    shown = ("", -1)

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // max(1, total)
        if shown == (stage, tenth):
            return
        shown = (stage, tenth)
        if sys.stderr.isatty():
            print(f"\r\033[K{stage} {done}/{total}", end="", file=sys.stderr, flush=True)
        elif tenth in {0, 10}:
            print(f"{stage} {done}/{total}", file=sys.stderr, flush=True)

    return tell


def _end_progress(said: str) -> None:
    print(f"\r\033[K{said}" if sys.stderr.isatty() else said, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
