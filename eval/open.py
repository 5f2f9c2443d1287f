"""The product as the evals open it: on an index or on papers, with a model or without."""

from __future__ import annotations

import argparse
import atexit
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NoReturn

from eval import cache
from eval.run import Product
from rag.errors import ModelError, UsageError
from rag.settings import EMBEDDED, Settings
from rag.types import Chat, Message, Progress, Reply

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

    from rag.llm import Replay


class Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence, as the rest of the command line does."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message}; see `{self.prog} --help`.")


def whole_number(value: str) -> int:
    """*value* as 0 or more. Raises ArgumentTypeError."""
    return _number_from(0, value)


def positive_number(value: str) -> int:
    """*value* as 1 or more. Raises ArgumentTypeError."""
    return _number_from(1, value)


def _number_from(least: int, value: str) -> int:
    try:
        number = int(value)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"give a whole number from {least}")
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is to be asked: the defaults are the bundled papers, quoted from, with no key."""

    store: Path | None = None  # of an index; None for a new one, removed after
    corpus: tuple[Path, ...] = ()  # what a new index is made of; empty for the bundled papers
    mode: str = "extractive"
    record: Path | None = None  # where to keep what a language model says
    replay: Path | None = None  # what one said before
    cached: bool = True  # answers of the same product may be taken from an earlier run


Opener = Callable[[Options, Progress], AbstractContextManager[Product]]
"""Opens the product that options name."""


@contextmanager
def opened(options: Options, tell: Progress) -> Iterator[Product]:
    """The product that *options* name.

    Raises UsageError without a language model in llm mode, and, at the end, if a recording lacks a
    call or holds one that was not made.
    """
    settings = Settings.from_environment(store=options.store)
    with _index(options, settings, tell) as placed:
        if options.replay:
            yield from _replayed(options.replay, placed)
        elif options.mode == "llm" or options.record:
            yield _spoken(options.record, placed)
        else:
            product = quoting(without_model(placed))
            yield _kept(product) if options.cached else product


@contextmanager
def _index(options: Options, settings: Settings, tell: Progress) -> Iterator[Settings]:
    """*settings* whose store holds the papers to be asked."""
    from rag.app import index  # late: a mistake in the arguments should show at once

    if options.store:
        if options.corpus:
            raise UsageError("--store and --corpus name two collections: give one of them")
        yield settings
        return
    with TemporaryDirectory(prefix="paperchat-eval-", ignore_cleanup_errors=True) as folder:
        # Nothing of the user's own is read or written: neither store, server nor model.
        fresh = replace(settings, store=Path(folder), chroma_url=None, embedding_model=EMBEDDED)
        rejected = index(fresh, options.corpus or None, progress=tell).rejected
        if rejected:  # or papers would be missed without a word of why
            print(f"{len(rejected)} records rejected, first {rejected[0]}", file=sys.stderr)
        yield fresh


def quoting(settings: Settings) -> Product:
    """The product that quotes, on the index that *settings* name, in extractive mode."""
    from rag.app import open_chat  # late, as above

    chat = open_chat(settings)
    generation = chat.ask("hi").index
    named = cache.product_name([settings.embedding_model, str(settings.rerank)], generation)
    return Product(chat.ask, chat.papers(), chat.verify, named)


def _kept(product: Product) -> Product:
    from platformdirs import user_cache_path  # late: not every run needs it

    return cache.keeping(
        product, cache.Kept(user_cache_path("paperchat") / "evals.sqlite", product.name)
    )


def _spoken(record: Path | None, settings: Settings) -> Product:
    """The product in llm mode, its language model recorded if a file is given."""
    from rag.app import PaperChat, choose_chat, choose_mode  # late, as above
    from rag.llm import Recorder

    choose_mode("llm", settings)
    model = choose_chat(settings)
    assert model is not None  # or choose_mode had raised
    chat = PaperChat(settings, chat=Recorder(model, record) if record else model)
    return Product(partial(chat.ask, mode="llm"), chat.papers(), chat.verify)


def _replayed(recording: Path, settings: Settings) -> Iterator[Product]:
    """The product in llm mode, with a recording in place of its language model."""
    from rag.app import PaperChat  # late, as above
    from rag.llm import Replay

    replay = Replay(recording)
    watched = Watched(replay)
    chat = PaperChat(without_model(settings), chat=watched)
    yield Product(partial(chat.ask, mode="llm"), chat.papers(), chat.verify)
    wrong = [*watched.missing, *replay.unused()]
    if wrong:
        count = f"{len(wrong):,} calls are missing or unused"
        raise UsageError(f"{count}: record again with --record. The first: {wrong[0]}")


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


def without_model(settings: Settings) -> Settings:
    """*settings* under which answers are extractive, so that a run costs nothing and repeats."""
    if settings.embedding_model != EMBEDDED:  # its server may need the key
        return replace(settings, model=None)
    return replace(settings, api_key=None, base_url=None, model=None)


def judging_model() -> Chat:
    """The language model that the environment names. Raises UsageError if it names none."""
    from rag.app import choose_chat  # late, as above

    model = choose_chat(Settings.from_environment())
    if model is None:
        raise UsageError(
            "--judge needs a language model: set OPENAI_API_KEY for OpenAI's, or OPENAI_BASE_URL "
            "for any other server."
        )
    return model


def teller() -> Progress:
    """A progress on standard error: a bar for a person; for a log a stage's begin and end."""
    if sys.stderr.isatty():
        return _Bar()
    shown = ("", -1)

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal shown
        tenth = 10 * done // max(1, total)
        if shown != (stage, tenth) and tenth in {0, 10}:
            print(f"{stage} {done}/{total}", file=sys.stderr, flush=True)
        shown = (stage, tenth)

    return tell


class _Bar:
    """A `Progress` with a bar for the stage that is going on, gone once it is done."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Bar | None = None
        atexit.register(self._stop)  # a terminal gets its cursor back, whatever happens

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Tell how far *stage* is."""
        if self._bar is None or stage != self._stage:
            self._stop()
            self._start(stage)
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total)
        if done >= total:
            self._stop()

    def _start(self, stage: str) -> None:
        from rich.console import Console  # late: nobody watches a run in CI
        from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (stage, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._stage, self._bar = stage, Bar(*columns, console=Console(stderr=True), transient=True)
        self._bar.add_task(stage, total=None)
        self._bar.start()

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
        self._bar = None


def end_progress(said: str) -> None:
    """Leave *said* where the progress was."""
    print(said, file=sys.stderr)
