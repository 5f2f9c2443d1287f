"""Answers kept between runs, so that what would come out the same is not asked again.

An answer is found again only under the name of everything that made it: the product's files,
weights included, the versions of all libraries, the settings and the index. Whatever changes one
of them makes another name, so that no answer is ever stale. A run that was stopped goes on from
the answers it has kept.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
import threading
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from pydantic import TypeAdapter

from eval.run import Asker, Checker, Product
from rag.types import Answer, Hit, Judgement, Paper

KEPT = 8  # products whose answers are kept, the latest used first
_ANSWER = TypeAdapter(Answer)
_JUDGEMENT = TypeAdapter(Judgement)


class Kept:
    """A file of answers, by what was asked of which product. Safe to use from many threads."""

    def __init__(self, path: Path, product: str) -> None:
        """Open or make the file at *path*; *product* names all that answers depend on."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._product = path, product
        self._lock = threading.Lock()
        self.found = 0
        with closing(self._open()) as kept, kept:
            kept.execute(
                "create table if not exists said (product text, asked text, value blob,"
                " primary key (product, asked)) without rowid"
            )
            kept.execute("create table if not exists used (product text primary key, at integer)")
            kept.execute(
                "insert or replace into used"
                " values (?, (select coalesce(max(at), 0) + 1 from used))",
                (product,),
            )
            old = "select product from used order by at desc limit -1 offset ?"
            kept.execute(f"delete from said where product in ({old})", (KEPT,))
            kept.execute(f"delete from used where product in ({old})", (KEPT,))

    def get(self, asked: str) -> bytes | None:
        """What was kept for *asked*, or None."""
        with self._lock, closing(self._open()) as kept:
            row = kept.execute(
                "select value from said where product = ? and asked = ?", (self._product, asked)
            ).fetchone()
            self.found += row is not None
        return zlib.decompress(row[0]) if row else None

    def put(self, asked: str, value: bytes) -> None:
        """Keep *value* for *asked*."""
        with self._lock, closing(self._open()) as kept, kept:
            kept.execute(
                "insert or replace into said values (?, ?, ?)",
                (self._product, asked, zlib.compress(value, 1)),
            )

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=30)


def keeping(product: Product, kept: Kept) -> Product:
    """*product*, asked only for what *kept* does not hold. Answers come without their times."""
    papers = {paper.id: paper for paper in product.papers}

    def ask(question: str, conversation: Sequence[Answer]) -> Answer:
        asked = name_of(["ask", question, *(said.question for said in conversation)])
        if (value := kept.get(asked)) is not None:
            return _read(value, papers)
        answer = product.ask(question, conversation)
        if all(hit.paper.id in papers for hit in answer.retrieved):
            kept.put(asked, _written(answer))
        return answer

    def verify(claim: str, title: str) -> Judgement:
        asked = name_of(["verify", claim, title])
        if (value := kept.get(asked)) is not None:
            return _JUDGEMENT.validate_json(value)
        assert product.verify is not None  # or this is not asked
        judged = product.verify(claim, title)
        kept.put(asked, _JUDGEMENT.dump_json(judged))
        return judged

    asker: Asker = ask
    checker: Checker | None = verify if product.verify else None
    return replace(product, ask=asker, verify=checker, uncached=product)


def _written(answer: Answer) -> bytes:
    """*answer* with the retrieved papers by their ids: they are at hand when it is read."""
    bare = replace(answer, retrieved=(), timings_ms={})
    hits = [
        [hit.paper.id, hit.rank, hit.score, hit.lexical, hit.whole, hit.best_sentence, hit.named]
        for hit in answer.retrieved
    ]
    return json.dumps([_ANSWER.dump_python(bare, mode="json"), hits]).encode()


def _read(value: bytes, papers: Mapping[str, Paper]) -> Answer:
    bare, hits = json.loads(value)
    retrieved = tuple(Hit(papers[id], *rest) for id, *rest in hits)
    return replace(_ANSWER.validate_python(bare), retrieved=retrieved)


def name_of(parts: Iterable[str]) -> str:
    """A short name of *parts*, another for whatever differs in one of them."""
    text = json.dumps(list(parts))  # so that no two lists of parts are written alike
    return hashlib.sha256(text.encode()).hexdigest()


def product_name(settings: Iterable[str], index: str) -> str:
    """The name of all that an answer depends on: files, libraries, *settings* and *index*."""
    packages = ("rag", "prompts")
    own = [f"{package}/{name}:{hash}" for package in packages for name, hash in _hashes(package)]
    libraries = sorted(f"{one.name}=={one.version}" for one in metadata.distributions())
    return name_of([sys.version, *own, *libraries, *settings, index])


def _hashes(package: str) -> list[tuple[str, str]]:
    """Each file of *package* with the hash of its content, compiled ones left out."""
    root = Path(str(files(package)))
    return [
        (path.relative_to(root).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(root.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and "train" not in path.parts
    ]
