"""Papers added from files: read and looked over first, then indexed while the chat goes on."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag import corpus
from rag.corpus.files import KINDS_IN_WORDS, kind
from rag.errors import PaperChatError, UsageError
from rag.types import Corpus, IndexReport, Progress
from ui.page.answer import html_text
from ui.page.door import block
from ui.page.turns import count

log = logging.getLogger(__name__)
MOST_FILES = 20
MOST_BYTES = 20_000_000
"""Files, and bytes of all of them together, that one person may have waiting."""

SHOWN = 8
_MOST_PEOPLE = 50  # people whose files wait at one time

Indexer = Callable[[Sequence[Path], Progress], IndexReport]


@dataclass(slots=True)
class Waiting:
    """The files of one person, and how far they have come."""

    folder: Path
    names: list[str] = field(default_factory=list)
    stage: str = ""  # what is being done; empty when nothing is
    done: int = 0
    total: int = 0
    report: IndexReport | None = None
    problem: str = ""


class Desk:
    """Takes files in and indexes them, one person at a time."""

    def __init__(self, indexer: Indexer | None) -> None:
        """*indexer* adds the papers of files to the collection; None where that is not allowed."""
        self._indexer = indexer
        self._lock = threading.Lock()
        self._waiting: dict[str, Waiting] = {}

    @property
    def open(self) -> bool:
        """Whether papers may be added."""
        return self._indexer is not None

    def of(self, owner: str) -> Waiting | None:
        """What waits for *owner*."""
        return self._waiting.get(owner)

    def take(self, owner: str, name: str, content: bytes) -> None:
        """Keep a file until it is indexed. Raises UsageError for what cannot be taken."""
        name = Path(name.replace("\\", "/")).name.replace("\0", "")[-120:]
        if self._indexer is None or not owner:
            raise UsageError("papers cannot be added here; use `paperchat index` on the machine")
        if not kind(Path(name)):
            raise UsageError(f"“{name}” is of a kind that is not read; give {KINDS_IN_WORDS}")
        with self._lock:
            waiting = self._waiting.get(owner)
            if waiting is None or waiting.report or waiting.problem:
                waiting = self._begun(owner)
            if waiting.stage:
                raise UsageError("your files are being indexed; add more when that is done")
            size = sum(one.stat().st_size for one in waiting.folder.iterdir()) + len(content)
            if name not in waiting.names and len(waiting.names) >= MOST_FILES:
                raise UsageError(f"at most {MOST_FILES} files at once; index these first")
            if size > MOST_BYTES:
                raise UsageError(f"at most {MOST_BYTES // 10**6} MB at once; index these first")
            (waiting.folder / name).write_bytes(content)
            waiting.names = sorted({*waiting.names, name})

    def _begun(self, owner: str) -> Waiting:
        self._drop(owner)
        idle = [one for one, waiting in self._waiting.items() if not waiting.stage]
        if len(self._waiting) >= _MOST_PEOPLE and idle:
            self._drop(idle[0])
        waiting = Waiting(Path(tempfile.mkdtemp(prefix="paperchat-")))
        self._waiting[owner] = waiting
        return waiting

    def drop(self, owner: str) -> None:
        """Forget the files that wait."""
        with self._lock:
            waiting = self._waiting.get(owner)
            if waiting and not waiting.stage:
                self._drop(owner)

    def _drop(self, owner: str) -> None:
        waiting = self._waiting.pop(owner, None)
        if waiting:
            shutil.rmtree(waiting.folder, ignore_errors=True)

    def start(self, owner: str) -> None:
        """Begin to index what waits, beside everything else. Raises UsageError."""
        with self._lock:
            waiting = self._waiting.get(owner)
            if waiting is None or not waiting.names or self._indexer is None:
                raise UsageError("no file waits; drop some first")
            if any(one.stage for one in self._waiting.values()):
                raise UsageError("somebody's papers are being indexed; try again in a minute")
            waiting.stage = "beginning"
        threading.Thread(target=self._run, args=(waiting,), daemon=True).start()

    def _run(self, waiting: Waiting) -> None:
        def tell(stage: str, done: int, total: int) -> None:
            waiting.stage, waiting.done, waiting.total = stage, done, total

        try:
            assert self._indexer is not None
            waiting.report = self._indexer([waiting.folder], tell)
        except PaperChatError as error:
            waiting.problem = str(error)
        except Exception:  # a person gets a sentence; whoever runs the page gets the traceback
            log.exception("adding papers failed")
            waiting.problem = "Something failed here while indexing; the collection is as it was."
        finally:
            waiting.stage = ""
            shutil.rmtree(waiting.folder, ignore_errors=True)


def previewed(waiting: Waiting) -> Corpus:
    """What the files that wait hold. Raises CorpusError."""
    return corpus.read([waiting.folder])


# --- Its HTML -------------------------------------------------------------------------------------


def html_waiting(waiting: Waiting | None) -> str:
    """How far the files have come: looked over, being indexed, done."""
    if waiting is None:
        return ""
    if waiting.problem:
        return f'<p class="pc-problem" role="status">{html_text(waiting.problem)}</p>'
    if waiting.report is not None:
        return _done(waiting.report)
    if waiting.stage:
        bar = f'max="{waiting.total}" value="{waiting.done}"' if waiting.total else ""
        return (
            f'<div data-busy="1"><p class="pc-count" role="status">{html_text(waiting.stage)}</p>'
            f'<progress {bar} aria-label="Indexing"></progress>'
            '<p class="pc-hint">The chat answers from the papers it has until this is done.</p>'
            "</div>"
        )
    try:
        return _preview(previewed(waiting), waiting.names)
    except PaperChatError as error:
        return f'<p class="pc-problem" role="status">{html_text(str(error))}</p>{_BUTTONS[1]}'


_BUTTONS = (
    '<button type="button" class="pc-act pc-strong" data-do="index">Index them</button>',
    '<button type="button" class="pc-act" data-do="drop">Remove these files</button>',
)


def _preview(read: Corpus, names: Sequence[str]) -> str:
    titles = "".join(f"<li>{html_text(one.title)}</li>" for one in read.papers[:SHOWN])
    more = len(read.papers) - SHOWN
    titles += f"<li>and {more:,} more</li>" if more > 0 else ""
    wrong = "".join(f"<li>{html_text(str(one))}</li>" for one in read.rejected[:SHOWN])
    rest = len(read.rejected) - SHOWN
    wrong += f"<li>and {rest:,} more</li>" if rest > 0 else ""
    said = f"{count(len(read.papers), 'paper')} in {html_text(', '.join(names))}"
    rejected = (
        f'<h3>Cannot be papers ({len(read.rejected):,})</h3><ul class="pc-plain">{wrong}</ul>'
        if wrong
        else ""
    )
    go = _BUTTONS[0] if read.papers else ""
    return (
        f'<p class="pc-count" role="status">{said}</p><ul class="pc-plain">{titles}</ul>{rejected}'
        f'<div class="pc-acts">{go}{_BUTTONS[1]}</div>'
    )


def _done(report: IndexReport) -> str:
    said = f"{report.new:,} new, {report.changed:,} changed, {report.unchanged:,} unchanged, "
    said += f"{report.duplicate:,} twice, {len(report.rejected):,} rejected."
    return f'<p class="pc-count" role="status">Done: {said} You can ask about them now.</p>'


def build(gr: Any) -> None:
    """Lay the tab out."""
    block(
        gr,
        '<section id="pc-add" class="pc-form"><h2>Add papers</h2><p class="pc-hint">Files of titles'
        f" with abstracts: {html_text(KINDS_IN_WORDS)}. At most {MOST_FILES} files and"
        f" {MOST_BYTES // 10**6} MB at once. You see what was read before anything is"
        ' indexed.</p><label class="pc-drop" for="pc-files">Drop files here, or'
        ' <span class="pc-choose">choose them</span>'
        '<input id="pc-files" type="file" multiple></label>'
        '<div id="pc-waiting" aria-live="polite"></div></section>',
    )
