"""The command line: the same answers as the page, for a terminal and for other programs.

Only the result goes to standard output. Everything else, progress and problems, goes to standard
error; a problem is one sentence that says what to do. Every library is imported late, since help
and a mistake in the arguments should show at once.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from io import BufferedReader, FileIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from rag.errors import (
    EmbeddingError,
    NoIndex,
    PaperChatError,
    SettingsError,
    StoreError,
    UsageError,
)

if TYPE_CHECKING:
    from typing import BinaryIO

    from rag.app import PaperChat
    from rag.settings import Settings
    from rag.types import Answer, IndexReport, Progress

_OWN_MACHINE = {"127.0.0.1", "localhost", "::1"}

DONE, FAILED, COULD_NOT_RUN, INTERRUPTED = 0, 1, 2, 130

SHOWN = 20
"""Rejections and notes that are written out; the rest are counted."""

QUIET = 10.0
"""Seconds between two lines of progress where nobody watches a bar."""

_INPUT_LIMIT = 1_000_000  # bytes of a question on standard input; far more than may be asked
_ROW_LIMIT = 10_000_000  # bytes of a row; the longest allowed conversation is shorter
_NO_SPACE = {errno.ENOSPC, errno.EDQUOT}
# JSON lets these stand, but many readers would break the line there.
_LINE_ENDS = {ord(end): f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    0: done. 1: it ran, and something it was asked to do failed. 2: it could not run. 130: it was
    interrupted. Nothing is raised, whatever happens.
    """
    _use_utf8()
    # The products of one question are small: more threads of BLAS only get in each other's way
    # (half the processor time, measured), and numpy reads this when it is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except KeyboardInterrupt:
        _drain()
        _tell("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has read all it wanted
        _drain()
        return DONE
    except Exception as error:  # the last resort: a person gets a sentence, never a traceback
        _drain()
        _explain(error)
        return COULD_NOT_RUN
    return code


def _run(arguments: list[str]) -> int:
    try:
        if arguments[:1] == ["eval"]:  # argparse would take its options for ours
            from eval.__main__ import main as evaluate

            return evaluate(arguments[1:])
        options = _parser().parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except SystemExit as end:  # how argparse ends after --help
        return end.code if isinstance(end.code, int) else DONE


# --- Commands -------------------------------------------------------------------------------------


def _chat(options: argparse.Namespace) -> int:
    from rag.app import open_chat, ready, refresh

    _return_memory()
    settings = _settings(options)
    _serve_metrics(options)
    users = _users(settings.auth) if settings.auth else ()
    if not ready(settings):
        _tell("Making the index ready, which is needed once.")
        with _progress() as tell:
            refresh(settings, progress=tell)
    chat = open_chat(settings)
    from rag.app import index
    from rag.history import FILE, History
    from ui.app import launch

    def indexer(paths: Sequence[Path], tell: Progress) -> IndexReport:
        return index(settings, paths, progress=tell)

    launch(
        chat,
        options.host,
        options.port,
        users=users,
        history=History(settings.store / FILE),
        # whoever reaches the page from elsewhere must have signed in to change the collection
        indexer=indexer if users or options.host in _OWN_MACHINE else None,
        about=_about(settings, chat),
    )
    return DONE


def _return_memory() -> None:
    """Let what a generation held go back to the system once the next one has taken its place.

    glibc gives each thread a pool of its own and, after the first large array was freed, takes the
    next ones from these pools, where they leave holes: over eighty updates a page grew from 234 to
    491 MB, and with these two settings from 191 to 215.
    """
    import ctypes

    most_pools, apart_from = -8, -3  # M_ARENA_MAX and M_MMAP_THRESHOLD of malloc.h
    with suppress(OSError, AttributeError, TypeError):  # a system with another allocator
        library = ctypes.CDLL(None)
        library.mallopt(most_pools, 2)
        library.mallopt(apart_from, 1 << 18)


def _about(settings: Settings, chat: PaperChat) -> dict[str, str]:
    """What the page says of itself; nothing in it is secret."""
    from importlib.metadata import PackageNotFoundError, version

    from rag.app import choose_mode

    try:
        number = version("paperchat")
    except PackageNotFoundError:
        number = "not installed"
    writes = choose_mode("auto", settings) == "llm"
    return {
        "Answers": (settings.model or "the server's model") if writes else "quotations, no model",
        "Papers": chat.describe(),
        "Embedding model": settings.embedding_model,
        "Cross-encoder": "on" if settings.rerank else "off",
        "Index": chat.index_hash()[:16],
        "Version": number,
    }


def _password(options: argparse.Namespace) -> int:
    """Write a line for the file that PAPERCHAT_AUTH names."""
    from getpass import getpass

    from ui.page.people import hashed

    if ":" in options.name or not options.name.strip():
        raise UsageError("a name is not empty and has no colon; choose another")
    given = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if not given:
        raise UsageError("the password is empty; type one, or pipe one in")
    print(f"{options.name.strip()}:{hashed(given)}")
    return DONE


def _serve_metrics(options: argparse.Namespace) -> None:
    if options.metrics_port is not None:
        from rag.observe import serve_metrics

        port = serve_metrics(options.metrics_port, options.host)
        _tell(f"Metrics at http://{options.host}:{port}/metrics")


def _observe(settings: Settings) -> None:
    """Start what whoever runs this wants to see of it."""
    if settings.log:
        from rag.observe import start_log

        start_log(questions=settings.log == "questions")
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from rag.observe import start_tracing

        start_tracing()


def _ask(options: argparse.Namespace) -> int:
    from rag.app import check_question, choose_mode, open_chat
    from ui.format import markdown, record

    settings = _settings(options)
    choose_mode(options.mode, settings)
    if _is_batch(options):
        chat = open_chat(settings)
        return _batch(options, "answering", lambda row: _answers(chat, row, options.mode))
    question = _question(options)
    check_question(question)
    answer = open_chat(settings).ask(question, mode=options.mode)
    print(_as_line(record(answer, id=None, turn=0)) if options.json else markdown(answer))
    return DONE


def _search(options: argparse.Namespace) -> int:
    from rag.app import check_question, open_chat
    from ui.format import plain, search_record

    settings = _settings(options)
    if _is_batch(options):
        chat = open_chat(settings)
        return _batch(options, "searching", lambda row: _found(chat, row, options.n))
    query = _question(options)
    check_question(query)
    hits = open_chat(settings).search(query, options.n)
    if options.json:
        print(_as_line(search_record(hits, id=None)))
        return DONE
    width = len(str(len(hits)))
    for hit in hits:
        print(f"{hit.rank:>{width}}  {hit.score:6.3f}  {plain(hit.paper.title)}")
    return DONE


def _compare(options: argparse.Namespace) -> int:
    from rag.app import check_subjects, choose_mode, open_chat
    from ui.format import markdown, record

    settings = _settings(options)
    choose_mode(options.mode, settings)
    subjects, axes = (
        [_readable(text).strip() for text in texts] for texts in (options.papers, options.axis)
    )
    check_subjects(subjects, axes)
    answer = open_chat(settings).compare(subjects, axes, options.mode)
    print(_as_line(record(answer, id=None, turn=0)) if options.json else markdown(answer))
    return DONE


def _verify(options: argparse.Namespace) -> int:
    from rag.app import check_claim, open_chat
    from ui.format import judgement_text, verify_record

    settings = _settings(options)
    if (options.batch is None) != (options.out is None):
        raise UsageError("--batch and --out go together: name the file to read and one to write")
    if options.batch is not None:
        if options.claim is not None or options.title is not None:
            raise UsageError("--claim and --batch exclude each other: give one of them")
        chat = open_chat(settings)
        return _batch(options, "checking", lambda row: _judged(chat, row))
    if options.claim is None or options.title is None:
        raise UsageError("name the sentence with --claim and the paper with --title")
    claim, title = _readable(options.claim), _readable(options.title)
    check_claim(claim)
    chat = open_chat(settings)
    paper, judged = chat.titled(title), chat.verify(claim, title)
    if options.json:
        print(_as_line(verify_record(judged, id=None, claim=claim, title=paper.title)))
    else:
        print(judgement_text(judged, paper.title))
    return DONE


def _index(options: argparse.Namespace) -> int:
    from rag.app import index, refresh
    from rag.indexing import Turn

    settings = _settings(options)
    turn = Turn(options.wait, options.take_over)
    with _progress() as tell:
        if options.rebuild and not options.paths and not options.prune:
            report = refresh(settings, progress=tell, turn=turn)
        else:
            paths, anew = options.paths or None, options.rebuild
            report = index(settings, paths, options.prune, tell, rebuild=anew, turn=turn)
    _list([str(one) for one in report.rejected], "rejected")
    _list(report.notes, "notes")
    if report.rebuilt:
        _tell(f"Every index was made anew: {report.rebuilt}.")
    if report.truncated:
        _tell(f"Texts longer than the embedding model reads, cut for it: {report.truncated:,}.")
    print(
        f"new {report.new}, changed {report.changed}, unchanged {report.unchanged},"
        f" removed {report.removed}, duplicate {report.duplicate},"
        f" rejected {len(report.rejected)}"
    )
    return DONE


def _doctor(options: argparse.Namespace) -> int:
    from rag.app import doctor, repair
    from ui.format import plain

    settings = _settings(options)
    if options.repair:
        with _progress() as tell:
            report = repair(settings, tell)
        _tell(f"Every index was made anew from the papers in the store: {report.rebuilt}.")
    found: list[tuple[str, bool, str]] = []
    try:
        for what, well, said in doctor(settings):
            found.append((what, well, said))
            if not options.json:
                print("ok  " if well else "FAIL", plain(f"{what}: {said}"), flush=True)
    except NoIndex:
        raise  # there is nothing to look into
    except (StoreError, EmbeddingError) as error:
        found.append(("index", False, str(error)))
        if not options.json:
            print("FAIL", plain(str(error)))
    all_well = all(well for _, well, _ in found)
    if options.json:
        rows = [{"what": what, "well": well, "found": said} for what, well, said in found]
        print(_as_line({"well": all_well, "store": str(settings.store), "checks": rows}))
    return DONE if all_well else FAILED


# --- What the arguments mean ----------------------------------------------------------------------


def _settings(options: argparse.Namespace) -> Settings:
    """What the environment and *options* set; what they want to be seen is seen from here on."""
    from rag.settings import Settings

    settings = Settings.from_environment(store=options.store)
    _observe(settings)
    return settings


def _is_batch(options: argparse.Namespace) -> bool:
    """Whether a file of questions is to be answered. Raises UsageError for half of a batch."""
    if (options.batch is None) != (options.out is None):
        raise UsageError("--batch and --out go together: name the file to read and one to write")
    if options.batch and options.question:
        raise UsageError("a question and --batch exclude each other: give one of them")
    return options.batch is not None


def _question(options: argparse.Namespace) -> str:
    """The question in the arguments, else on standard input. Raises UsageError."""
    if options.question and options.question != ["-"]:
        return _readable(" ".join(options.question))
    if sys.stdin is None or (sys.stdin.isatty() and not options.question):
        example = f'paperchat {options.command} "your question"'
        raise UsageError(f"there is no question: write `{example}`, or pipe one in")
    given = sys.stdin.buffer.read(_INPUT_LIMIT + 1)
    if len(given) > _INPUT_LIMIT:
        raise UsageError("standard input is too long for a question: pipe in a shorter one")
    return _readable(given.decode("utf-8-sig", errors="replace")).strip()


def _readable(text: str) -> str:
    """*text* without halves of letters, which no tokenizer takes.

    Those that Python makes of the arguments where the locale knows ASCII only become letters again.
    """
    try:
        given = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # halves that come from elsewhere, as the escapes of a JSON text
        given = text.encode("utf-8", "surrogatepass")
    return given.decode("utf-8", "replace")


def _users(path: Path) -> list[tuple[str, str]]:
    """The (name, password) pairs in the file at *path*, one `user:password` a line.

    White space around either is no part of it; empty lines and those that begin with # are
    skipped. Raises SettingsError, which never shows a password.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:  # bytes that are no UTF-8 are a ValueError
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        problem = f"PAPERCHAT_AUTH: {path} cannot be read ({reason}); mend or unset it"
        raise SettingsError(problem) from error
    users: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, colon, password = (part.strip() for part in line.partition(":"))
        if not line.strip() or name.startswith("#"):
            continue
        if not (name and colon and password):
            raise SettingsError(f"{path}:{number}: this is no user:password; mend the line")
        if name in users:
            raise SettingsError(f"{path}:{number}: this user is named twice; remove one line")
        users[name] = password
    if not users:  # a page that was meant to be closed must not be open
        raise SettingsError(f"PAPERCHAT_AUTH: {path} names no user; add a user:password line")
    return list(users.items())


# --- Batches --------------------------------------------------------------------------------------

Row = Mapping[str, Any]
Result = dict[str, object]


def _batch(
    options: argparse.Namespace, stage: str, results_of: Callable[[Row], Iterator[Result]]
) -> int:
    """Answer the rows of the file --batch into the file --out, each as soon as it is done.

    A row that fails says so in its result, and the others go on. Raises UsageError if a file
    cannot be used.
    """
    written = failed = 0
    with (
        _reading(options.batch) as source,
        _writing(options.out, source) as out,
        _progress() as tell,
    ):
        total = _count_rows(source)
        try:
            for done, (number, line) in enumerate(_rows(source)):
                tell(stage, done, total)
                for result in _results(line, results_of):
                    if result.get("error"):
                        result["error"] = f"line {number}: {result['error']}"
                        failed += 1
                    _append(out, _as_line(result) + "\n")
                    written += 1
        except KeyboardInterrupt:
            _tell(f"{options.out} keeps the rows that are done: {written:,}.")
            raise
    if failed:
        _tell(f'{failed:,} of {written:,} rows failed: see "error" in {options.out}.')
    return FAILED if failed else DONE


def _answers(chat: PaperChat, row: Row, mode: str) -> Iterator[Result]:
    """One record for each turn of the row's conversation; a turn that fails is forgotten."""
    from ui.format import record

    past: list[Answer] = []
    for turn, asked in enumerate(_turns(row)):
        try:
            answer = chat.ask(_asked(asked), past, mode)
            yield record(answer, id=_name(row), turn=turn)
            past.append(answer)
        except Exception as error:  # one question must not cost the others their answers
            yield {"id": _name(row), "turn": turn, "error": _sentence(error)}


def _found(chat: PaperChat, row: Row, n: int) -> Iterator[Result]:
    """The row's *n* best papers, in one record."""
    from ui.format import search_record

    asked = row["question"] if "question" in row else row.get("text")  # as BEIR calls it
    yield search_record(chat.search(_asked(asked), n), id=_name(row))


def _judged(chat: PaperChat, row: Row) -> Iterator[Result]:
    """The verdict on the row's claim."""
    from ui.format import verify_record

    claim, title = row.get("claim"), row.get("title", row.get("cited_paper"))
    if not isinstance(claim, str) or not isinstance(title, str):
        raise UsageError('a row needs "claim" and "title", both texts')
    claim, title = _readable(claim), _readable(title)
    judged = chat.verify(claim, title)
    yield verify_record(judged, id=_name(row), claim=claim, title=chat.titled(title).title)


def _results(line: bytes | None, results_of: Callable[[Row], Iterator[Result]]) -> Iterator[Result]:
    """What comes of one line; an error is a result too."""
    row: Row = {}
    try:
        row = _parsed(line)
        yield from results_of(row)
    except Exception as error:  # one row must not cost the others their answers
        yield {"id": _name(row), "error": _sentence(error)}


def _parsed(line: bytes | None) -> Row:
    if line is None:
        raise UsageError(f"the row is longer than {_ROW_LIMIT:,} bytes; ask something shorter")
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        problem = f"the row is not JSON ({error.msg}, column {error.colno}); mend it"
        raise UsageError(problem) from error
    except (ValueError, RecursionError) as error:  # no UTF-8, or brackets in brackets without end
        raise UsageError(f"the row is not JSON ({error}); mend it") from error
    if not isinstance(row, dict):
        raise UsageError('the row is not a JSON object; write {"id": "q1", "question": "…"}')
    return row


def _turns(row: Row) -> Sequence[object]:
    """The questions of a conversation, not yet checked; a lone question is one of one turn."""
    turns = row.get("turns")
    if not turns:
        return [row.get("question")]
    if not isinstance(turns, list):
        raise UsageError('"turns" is not a list; write ["first question", "second question"]')
    return [turn.get("question") if isinstance(turn, dict) else turn for turn in turns]


def _asked(question: object) -> str:
    if question is None:
        raise UsageError('there is no question; give the row a "question"')
    if not isinstance(question, str):
        raise UsageError("the question is not a text; write it in quotation marks")
    return _readable(question)


def _name(row: Row) -> Any:
    """The row's own id, as it stands there: a caller finds its row by it."""
    return row["id"] if "id" in row else row.get("_id")


def _rows(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Number from 1 and bytes of each line that is not blank; None for one over _ROW_LIMIT."""
    number = 0
    while line := source.readline(_ROW_LIMIT + 1):
        number += 1
        if len(line) > _ROW_LIMIT:
            while line and not line.endswith(b"\n"):
                line = source.readline(_ROW_LIMIT)
            yield number, None
        elif line.strip():
            yield number, line


def _count_rows(source: BinaryIO) -> int:
    """How many rows are to come; 0 if they can be read only once."""
    if not source.seekable():
        return 0
    start = source.tell()
    count = sum(1 for _ in _rows(source))
    source.seek(start)
    return count


@contextmanager
def _reading(name: str) -> Iterator[BinaryIO]:
    """The file of rows, "-" being standard input. Raises UsageError."""
    if name != "-":
        with _usable(name, "read", "--batch"):
            file = BufferedReader(FileIO(name))
        with file:
            yield file
    elif sys.stdin is None:
        raise UsageError("standard input is closed: name a file with --batch")
    else:
        yield sys.stdin.buffer


@contextmanager
def _writing(name: str, source: BinaryIO) -> Iterator[FileIO]:
    """The file of results, emptied. Raises UsageError, also if it is the *source*."""
    with _usable(name, "written", "--out"):
        if _is_file(source, Path(name)):
            raise UsageError(f"{name} is the file that is read: name another one with --out")
        # Unbuffered: a row that is done is kept, whatever happens to this process.
        file = FileIO(name, "w")
    with file:
        yield file


def _append(file: FileIO, text: str) -> None:
    """Write the whole of *text*, or nothing of it, as far as the file can be cut back."""
    rest = memoryview(text.encode("utf-8", "backslashreplace"))
    with _usable(str(file.name), "written", "--out"):
        start = file.tell() if file.seekable() else None
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError:
            if start is not None:
                with suppress(OSError):  # a device cannot be cut
                    file.truncate(start)
            raise


def _is_file(handle: BinaryIO, path: Path) -> bool:
    """Whether *handle* is the plain file at *path*."""
    with suppress(OSError):  # there is no such file, or the handle is none of the system's
        one, other = os.fstat(handle.fileno()), path.stat()
        return stat.S_ISREG(one.st_mode) and os.path.samestat(one, other)
    return False


@contextmanager
def _usable(name: str, done: str, option: str) -> Iterator[None]:
    """Explain why the file *name* cannot be *done* (read, written)."""
    try:
        yield
    except (OSError, ValueError) as error:  # a ValueError is a name that no file can have
        reason = getattr(error, "strerror", None) or str(error)
        problem = f"{name} cannot be {done} ({reason}): name another file with {option}"
        raise UsageError(problem) from error


# --- What is said ---------------------------------------------------------------------------------


def _as_line(record: Mapping[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False).translate(_LINE_ENDS)


def _tell(text: str) -> None:
    """Say *text* on standard error, in one line that a terminal does not act on."""
    from ui.format import plain

    with suppress(OSError, ValueError):  # nobody listens
        print(plain(text), file=sys.stderr, flush=True)


def _list(lines: Sequence[str], kind: str) -> None:
    for line in lines[:SHOWN]:
        _tell(line)
    if len(lines) > SHOWN:
        _tell(f"and {len(lines) - SHOWN:,} more {kind}")


@contextmanager
def _progress() -> Iterator[Progress]:
    """Progress on standard error: a bar for a person, a line now and then for a log."""
    if not sys.stderr.isatty():
        yield _now_and_then()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    from ui.format import plain

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with Bar(*columns, console=console, transient=True, redirect_stdout=False) as bar:
        task = bar.add_task("", total=None, visible=False)

        def tell(stage: str, done: int, total: int) -> None:
            if done < bar.tasks[0].completed:
                bar.reset(task)  # another stage, with a speed of its own
            bar.update(
                task, description=plain(stage), completed=done, total=total or None, visible=True
            )
            if done == total:
                bar.refresh()  # a stage that is over at once would else never be seen

        yield tell


def _now_and_then() -> Progress:
    last = time.monotonic()

    def tell(stage: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= QUIET:
            last = time.monotonic()
            _tell(f"{stage}: {done:,} of {total:,}" if total else f"{stage}: {done:,}")

    return tell


def _use_utf8() -> None:
    """Let any text be written, whatever the locale says, and also to a stream that is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # print would write to the one what is meant for the other
            setattr(sys, name, TextIOWrapper(FileIO(os.devnull, "w"), "utf-8"))
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _drain() -> None:
    """Let what was printed arrive; what cannot is dropped, lest Python complain of it at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, sys.stdout.fileno())
            os.close(nowhere)


def _explain(error: Exception) -> None:
    if _debugging():
        import traceback

        traceback.print_exception(error)
    sentence = _sentence(error)
    _tell(f"paperchat: {sentence}" + ("" if sentence.endswith((".", "?", "!")) else "."))


def _sentence(error: Exception) -> str:
    """What went wrong and what to do about it."""
    match error:
        case PaperChatError():
            return str(error)
        case MemoryError():
            return "there is not enough memory; close other programs, or take less at a time"
        case OSError() if error.errno in _NO_SPACE:
            place = f" for {error.filename}" if error.filename else ""
            return f"no space is left{place}; free some and run the same again"
        case OSError() if error.filename:
            return f"{error.filename} cannot be used ({error.strerror}); check it and its rights"
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return f"something went wrong ({what}); set PAPERCHAT_DEBUG=1 to see where"


def _debugging() -> bool:
    from rag.settings import Settings

    try:
        return Settings.from_environment().debug
    except PaperChatError:  # the settings themselves may be what is wrong
        return os.environ.get("PAPERCHAT_DEBUG", "").strip().lower() in {"1", "true", "yes"}


# --- Arguments ------------------------------------------------------------------------------------

Commands = argparse._SubParsersAction  # argparse gives what it returns no public name

_EPILOG = """\
begin with:
  paperchat chat
  paperchat ask "What MFU does MegaScale reach?"
  paperchat index ~/papers

exit codes:
  0 done; 1 it ran, and something it was asked to do failed; 2 it could not run

environment, or a file .env in the working folder:
  PAPERCHAT_STORE  the folder of the index
  PAPERCHAT_AUTH   a file of user:password lines, one of which a visitor of the page must know
  PAPERCHAT_DEBUG  1 shows the traceback of an error
"""


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}; see `{self.prog} --help`")


class _Version(argparse.Action):
    """Print the version, which is looked up only when somebody asks."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print("paperchat", version("paperchat"))
        except PackageNotFoundError:
            print("paperchat, run from its folder without being installed")
        parser.exit()


def _parser() -> _Parser:
    parser = _Parser(
        prog="paperchat",
        description="Ask a collection of paper abstracts: every answer quotes what proves it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    parser.set_defaults(run=_no_command)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    _add_chat(commands)
    _add_ask(commands)
    _add_search(commands)
    _add_compare(commands)
    _add_verify(commands)
    _add_index(commands)
    _add_password(commands)
    # Listed for --help; its arguments go to the evals before any of this is looked at.
    commands.add_parser("eval", add_help=False, help="run the grounding evals")
    _add_doctor(commands)
    return parser


def _no_command(_: argparse.Namespace) -> int:
    raise UsageError("there is no command: begin with `paperchat chat`, or see `paperchat --help`")


def _add_command(
    commands: Commands[_Parser],
    name: str,
    run: Callable[[argparse.Namespace], int],
    does: str,
    description: str,
    example: str,
) -> _Parser:
    parser = commands.add_parser(
        name,
        help=does,
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    where = "the folder of the index (default: $PAPERCHAT_STORE, else your data folder)"
    parser.add_argument("--store", type=_path, metavar="DIR", help=where)
    parser.set_defaults(run=run)
    return parser


def _add_chat(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "chat",
        _chat,
        "open the chat page",
        "Serve the page until Ctrl+C. If there is no index yet, the bundled papers are indexed\n"
        "first. PAPERCHAT_AUTH names a file of user:password lines to ask visitors for.",
        "paperchat chat --port 8080",
    )
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    parser.add_argument("--port", type=_port, default=7860, help="default: 7860; 0 is any free one")
    metrics = "serve Prometheus metrics on this port too; 0 is any free one (default: none)"
    parser.add_argument("--metrics-port", type=_port, metavar="PORT", help=metrics)


def _add_password(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "password",
        _password,
        "write a line for the password file",
        "Ask for a password and print NAME with a salted hash of it, a line for the file that\n"
        "PAPERCHAT_AUTH names. Piped in, the first line of standard input is the password.",
        "paperchat password ann >> people.txt",
    )
    parser.add_argument("name", metavar="NAME", type=_text, help="who may sign in")


def _add_ask(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "ask",
        _ask,
        "answer one question, or a file of them",
        "Print one answer as Markdown. Without QUESTION, standard input is the question.\n"
        'A row of a batch is {"id": "q1", "question": "…"}, or for a conversation\n'
        '{"id": "c1", "turns": ["first question", "second question"]}.',
        'paperchat ask "What MFU does MegaScale reach?"\n'
        "  paperchat ask --batch questions.jsonl --out answers.jsonl",
    )
    _add_questions(parser, "QUESTION", "what to ask the papers")
    _add_mode(parser, "who writes the answer")


def _add_mode(parser: _Parser, who: str) -> None:
    modes = f"{who} (default: auto, whichever is set up)"
    parser.add_argument("--mode", choices=("auto", "extractive", "llm"), default="auto", help=modes)


def _add_search(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "search",
        _search,
        "rank the papers for a query, without an answer",
        "Print rank, score and title of each paper. Without QUERY, standard input is the query.\n"
        'A row of a batch is {"id": "q1", "question": "…"} or {"_id": "q1", "text": "…"}.',
        'paperchat search "training on 10,000 GPUs" -n 5\n'
        "  paperchat search --batch queries.jsonl --out ranked.jsonl -n 100",
    )
    _add_questions(parser, "QUERY", "what to look for")
    parser.add_argument("-n", type=_number, default=20, help="how many papers (default: 20)")


def _add_compare(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "compare",
        _compare,
        "set two to five papers side by side",
        "Print a table with a column for each paper and a row for each thing compared. Every cell\n"
        'is a quotation, or "not stated in the abstract"; a paper that is not here is named.',
        "paperchat compare MegaScale ByteScale\n"
        '  paperchat compare MegaScale ByteScale --axis hardware "reported speed"',
    )
    papers = "a title, a part of one, the name of a system, or a description in quotation marks"
    parser.add_argument("papers", nargs="*", metavar="PAPER", help=papers)
    axes = "what to compare on (default: what the abstracts speak to)"
    parser.add_argument("--axis", nargs="+", action="extend", default=[], metavar="TEXT", help=axes)
    _add_mode(parser, "who chooses the quotations")
    parser.add_argument("--json", action="store_true", help="print the record, one line of JSON")


def _add_verify(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "verify",
        _verify,
        "check whether a paper's abstract bears a sentence",
        "Print the verdict, why, and the sentences of the abstract that it rests on.\n"
        'A row of a batch is {"id": "c1", "claim": "…", "title": "…"}.',
        'paperchat verify --claim "MegaScale reaches 55.2% MFU." --title MegaScale\n'
        "  paperchat verify --batch claims.jsonl --out verdicts.jsonl",
    )
    parser.add_argument("--claim", type=_text, metavar="TEXT", help="the sentence to check")
    title = "the paper it cites: its title, a part of it, or the name of its system"
    parser.add_argument("--title", type=_text, metavar="TITLE", help=title)
    parser.add_argument("--json", action="store_true", help="print a record, one line of JSON")
    rows = "read rows of JSON from this file, or from standard input if it is -"
    parser.add_argument("--batch", metavar="IN.jsonl", type=_text, help=rows)
    out = "write a row here for each verdict, as soon as it is done"
    parser.add_argument("--out", metavar="OUT.jsonl", type=_text, help=out)


def _add_questions(parser: _Parser, name: str, does: str) -> None:
    parser.add_argument("question", nargs="*", metavar=name, help=does)
    parser.add_argument("--json", action="store_true", help="print a record, one line of JSON")
    rows = "read rows of JSON from this file, or from standard input if it is -"
    parser.add_argument("--batch", metavar="IN.jsonl", type=_text, help=rows)
    out = "write a row here for each result, as soon as it is done"
    parser.add_argument("--out", metavar="OUT.jsonl", type=_text, help=out)


def _add_index(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "index",
        _index,
        "add or update papers",
        "Bring papers in from files and folders: .txt, .jsonl, .json, .csv, .tsv, .bib and .ris,\n"
        "each also as .gz or .xz. Only what is new or changed costs time. What cannot be a paper\n"
        "is listed as file:line: reason, and the rest goes in.\n"
        "Of more than 20,000 papers the sentences, of more than 300,000 all, are embedded when a\n"
        "question may mean them, while it waits; PAPERCHAT_INDEX=full, windows or fast says\n"
        "otherwise, of a store that is there too.",
        "paperchat index ~/papers library.bib",
    )
    files = "files or folders (default: the papers that come with PaperChat)"
    parser.add_argument("paths", nargs="*", metavar="PATH", type=_path, help=files)
    prune = "remove every paper that is not in PATH"
    parser.add_argument("--prune", action="store_true", help=prune)
    anew = (
        "make every index anew, embedding only texts whose vectors are not kept; without PATH, of"
        " the papers that the index holds"
    )
    parser.add_argument("--rebuild", action="store_true", help=anew)
    wait = "seconds to wait for another process that is indexing (default: 0)"
    parser.add_argument("--wait", type=_number, default=0, metavar="SECONDS", help=wait)
    hung = "put out a process that is indexing and has shown no sign of life for a minute"
    parser.add_argument("--take-over", action="store_true", help=hung)


def _add_doctor(commands: Commands[_Parser]) -> None:
    parser = _add_command(
        commands,
        "doctor",
        _doctor,
        "look whether the index is whole, and which model answers",
        "One line for each thing looked at: ok or FAIL, and what was found.",
        "paperchat doctor\n  paperchat doctor --repair",
    )
    parser.add_argument("--json", action="store_true", help="print a record, one line of JSON")
    anew = "first make every index anew from the papers that the store keeps"
    parser.add_argument("--repair", action="store_true", help=anew)


def _text(value: str) -> str:
    if not value:  # above all an empty variable of a shell
        raise argparse.ArgumentTypeError("the name is empty")
    return value


def _path(value: str) -> Path:
    return Path(_text(value))  # an empty one would mean the working folder


def _number(value: str) -> int:
    if not (value.isascii() and value.isdigit() and 1 <= len(value) <= 9 and int(value)):
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return int(value)


def _port(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) < 1 << 16):
        raise argparse.ArgumentTypeError("give a number from 0 to 65535")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
