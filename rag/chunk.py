"""Windows of sentences under a token budget: the door to tiktoken.

llama-index ships tiktoken's tables; pointing tiktoken at them makes counting work with no network.
Its own splitter counts characters between arbitrary cut points; evidence needs windows that begin
and end with a sentence and know their exact span, which is why the window is ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from rag.errors import PaperChatError
from rag.types import Chunk, Paper, Sentence

# Nearly every abstract fits into one window; MiniLM reads 512 of its own, slightly shorter, tokens.
BUDGET = 440
OVERLAP = 1  # sentences that a window shares with the one before
ENCODING = "cl100k_base"
_CACHE = "TIKTOKEN_CACHE_DIR"
VERSION = f"windows-{BUDGET}-{OVERLAP}-{ENCODING}"


def chunks(
    paper: Paper,
    sentences: Sequence[Sentence],
    budget: int = BUDGET,
    count: Callable[[str], int] | None = None,
) -> tuple[Chunk, ...]:
    """Cut *paper* into windows of whole sentences, the title counted into each *budget* of tokens.

    Every sentence is in at least one window, and no window lies within another; a sentence longer
    than the budget is a window alone.
    """
    count = count or count_tokens
    room = budget - count(f"{paper.title}\n")
    sizes = [count(sentence.text) for sentence in sentences]
    made: list[Chunk] = []
    first, covered = 0, -1
    while covered + 1 < len(sentences):
        last, used = first, sizes[first]
        while last + 1 < len(sentences) and used + sizes[last + 1] <= room:
            last += 1
            used += sizes[last]
        if last > covered:  # else the next sentence has no room beside the shared one
            made.append(_window(paper, len(made), sentences[first], sentences[last]))
            covered = last
        first = max(first + 1, last + 1 - OVERLAP)
    return tuple(made)


def count_tokens(text: str) -> int:
    """Tokens of *text* under cl100k_base."""
    return len(_encoding()(text))


def _window(paper: Paper, number: int, first: Sentence, last: Sentence) -> Chunk:
    text = paper.abstract[first.start : last.end]
    return Chunk(paper.id, number, first.start, last.end, paper.title, text)


@cache
def _encoding() -> Callable[[str], list[int]]:
    import tiktoken  # late: only indexing counts tokens

    try:
        with _offline_tables():
            return tiktoken.get_encoding(ENCODING).encode_ordinary
    except Exception as error:  # no table and no network: requests' errors, of many classes
        raise PaperChatError(
            f"the tokenizer tables are missing ({error}); install llama-index-core again"
        ) from error


@contextmanager
def _offline_tables() -> Iterator[None]:
    """Point tiktoken at the bundled tables, whatever folder the environment gives it."""
    before, tables = os.environ.get(_CACHE), _bundled_tables()
    if tables:
        os.environ[_CACHE] = str(tables)
    try:
        yield
    finally:
        if before is not None:
            os.environ[_CACHE] = before
        elif tables:
            del os.environ[_CACHE]


def _bundled_tables() -> Path | None:
    """The folder of tiktoken tables inside llama-index, found without importing it (2 s)."""
    spec = find_spec("llama_index.core")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "_static" / "tiktoken_cache"
    return folder if folder.is_dir() else None
