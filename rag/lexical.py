"""BM25 over titles and abstracts: the door to tantivy.

The words are ours (`rag.words`), so that names keep their digits and signs; tantivy only sees them
joined by spaces. A document's key names one version of one paper; the store decides which versions
are live, so an index that holds a few dead ones answers correctly all the same.
"""

from __future__ import annotations

import math
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import tantivy

from rag.errors import StoreError
from rag.words import document_terms

# A title stands this often in the text that BM25 counts, as in BM25F: one field, one rarity per
# word. Two fields with a boost let a common word that is rare in titles beat a system's name.
TITLE_REPEATS = 2
WRITER_BYTES = 60_000_000
FOLDER = r"lexical-[0-9a-f]{16}\.\d+"  # a pattern: only what is called so is ours to delete
MOST_KEYS = 200_000  # of documents that are kept in memory: to look one up costs 10 microseconds
_ANALYZER = "terms"


_View = tuple[tantivy.Searcher, dict[tuple[int, int], str]]
"""A searcher, and the keys of its documents that were looked up, by segment and number."""


@dataclass(frozen=True, slots=True)
class LexicalDocument:
    """One version of one paper, as the lexical index sees it."""

    key: str
    title: str
    body: str


class LexicalIndex:
    """A persistent BM25 index in *folder*, updated in place."""

    def __init__(self, folder: Path) -> None:
        """Open the index, making an empty one if there is none. Raises StoreError."""
        with our_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._copy = None if os.access(folder, os.W_OK) else _copied(folder)
            place = folder if self._copy is None else Path(self._copy.name) / folder.name
            self._index = tantivy.Index(_schema(), path=str(place))
            self._index.register_tokenizer(_ANALYZER, _whitespace())
            self._see()
        self._folder = folder

    def _see(self) -> None:
        """Search what is committed now; making a searcher costs as much as a search."""
        # The keys go with their searcher: another one may number the documents otherwise.
        self._view: _View = self._index.searcher(), {}

    @property
    def _searcher(self) -> tantivy.Searcher:
        return self._view[0]

    def _keys_of(
        self, view: _View, hits: Iterable[tuple[float, tantivy.DocAddress]]
    ) -> list[tuple[str, float]]:
        """The keys of documents that a search in *view* found, with their scores."""
        searcher, known = view
        if len(known) > MOST_KEYS:
            known.clear()
        found = []
        for score, place in hits:
            number = (place.segment_ord, place.doc)
            key = known.get(number)
            if key is None:
                key = known[number] = str(searcher.doc(place)["key"][0])
            found.append((key, float(score)))
        return found

    def __len__(self) -> int:
        """Documents in the index, dead versions included."""
        return int(self._searcher.num_docs)

    def reload(self) -> None:
        """See what another process has committed since."""
        with our_errors(self._folder):
            self._index.reload()
            self._see()

    def update(self, add: Iterable[LexicalDocument], remove: Iterable[str] = ()) -> None:
        """Add and remove documents in one commit: all of it happens, or nothing."""
        with our_errors(self._folder):
            writer = self._index.writer(WRITER_BYTES, 1)
            for key in remove:
                writer.delete_documents_by_term("key", key)
            for document in add:
                writer.delete_documents_by_term("key", document.key)
                writer.add_document(_as_document(document))
            self._commit(writer)

    def replace(self, documents: Iterable[LexicalDocument]) -> None:
        """Hold *documents* and nothing else, in one commit.

        Until segments are merged, BM25 counts what was removed from them among the documents and
        in the rarity of words, so that an index has other scores than one made anew.
        """
        with our_errors(self._folder):
            writer = self._index.writer(WRITER_BYTES, 1)
            writer.delete_all_documents()
            for document in documents:
                writer.add_document(_as_document(document))
            self._commit(writer)

    def _commit(self, writer: tantivy.IndexWriter) -> None:
        writer.commit()
        writer.wait_merging_threads()
        self._index.reload()
        self._see()

    def keys(self) -> set[str]:
        """The keys of all documents."""
        with our_errors(self._folder):
            searcher = self._searcher
            found = searcher.search(tantivy.Query.all_query(), limit=max(1, searcher.num_docs))
            return {str(searcher.doc(address)["key"][0]) for _, address in found.hits}

    def search(self, terms: Mapping[str, float], k: int) -> list[tuple[str, float]]:
        """The *k* best documents for weighted *terms*: (key, BM25 score > 0), ties by key."""
        if not terms:
            return []
        with our_errors(self._folder):
            view = self._view
            found = view[0].search(self._query(terms), limit=k, count=False)
            hits = self._keys_of(view, found.hits)
        return sorted(hits, key=lambda hit: (-hit[1], hit[0]))

    def coverage(self, terms: Mapping[str, float], k: int) -> dict[str, float]:
        """How much of the rarity of *terms* each document holds: key to (0, 1], best *k*.

        Rarity is BM25's inverse document frequency; a term of no document counts as the rarest,
        unless its weight is below 1: then it was only a guess at another spelling.
        Sum over the terms in the document, divided by the sum over all: a paper that holds every
        word of the question has 1, however often and wherever they stand.
        """
        with our_errors(self._folder):
            view = self._view
            searcher = view[0]
            rarity = {
                term: weight * self._rarity(term, searcher)
                for term, weight in terms.items()
                if weight == 1.0 or searcher.doc_freq("text", term) > 0
            }
            total = sum(rarity.values())
            schema, should = self._index.schema, tantivy.Occur.Should
            parts = [
                (should, tantivy.Query.const_score_query(
                    tantivy.Query.term_query(schema, "text", term), value / total))
                for term, value in sorted(rarity.items())
                if value > 0
            ]  # fmt: skip
            if not parts:
                return {}
            found = searcher.search(tantivy.Query.boolean_query(parts), limit=k, count=False)
            return dict(self._keys_of(view, found.hits))

    def _rarity(self, term: str, searcher: tantivy.Searcher) -> float:
        n = searcher.num_docs
        frequency = min(n, searcher.doc_freq("text", term))  # replaced documents are counted too
        return math.log(1 + (n - frequency + 0.5) / (frequency + 0.5))

    def document_frequency(self, term: str) -> int:
        """In how many documents *term* stands."""
        return int(self._searcher.doc_freq("text", term))

    def holding(self, groups: Sequence[Collection[str]]) -> set[str]:
        """The keys of the documents that hold, of every group, at least one term.

        A term that ends in "*" stands for all terms that go on with a digit.
        """
        must, should = tantivy.Occur.Must, tantivy.Occur.Should
        with our_errors(self._folder):
            view = self._view
            parts = [
                (
                    must,
                    tantivy.Query.boolean_query([(should, self._held(t)) for t in sorted(group)]),
                )
                for group in groups
            ]
            query = tantivy.Query.boolean_query(parts)
            found = view[0].search(query, limit=max(1, view[0].num_docs), count=False)
            return {key for key, _ in self._keys_of(view, found.hits)}

    def _held(self, term: str) -> tantivy.Query:
        if term.endswith("*"):
            pattern = re.escape(term[:-1]) + "[0-9].*"
            return tantivy.Query.regex_query(self._index.schema, "text", pattern)
        return tantivy.Query.term_query(self._index.schema, "text", term)

    def _query(self, terms: Mapping[str, float]) -> tantivy.Query:
        schema, should = self._index.schema, tantivy.Occur.Should
        parts = [
            tantivy.Query.boost_query(tantivy.Query.term_query(schema, "text", term), weight)
            for term, weight in sorted(terms.items())
        ]
        return tantivy.Query.boolean_query([(should, part) for part in parts])


def _copied(folder: Path) -> TemporaryDirectory[str]:
    """A copy of *folder* for as long as it is held: tantivy locks even what it only reads."""
    made = TemporaryDirectory(prefix="paperchat-words-", ignore_cleanup_errors=True)
    shutil.copytree(folder, Path(made.name) / folder.name)
    return made


def exists(folder: Path) -> bool:
    """Whether there is an index in *folder*."""
    return (folder / "meta.json").is_file()


def destroy(folder: Path) -> None:
    """Delete the index in *folder*."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def our_errors(folder: Path) -> Iterator[None]:
    """Let no tantivy exception (they are ValueError and OSError) out of this module."""
    try:
        yield
    except (ValueError, OSError) as error:
        raise StoreError(
            f"the lexical index in {folder} failed ({error}); run `paperchat index --rebuild`"
        ) from error


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name=_ANALYZER, index_option="freq")
    return builder.build()


def _whitespace() -> tantivy.TextAnalyzer:
    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()


def _as_document(document: LexicalDocument) -> tantivy.Document:
    made = tantivy.Document()
    made.add_text("key", document.key)
    terms = document_terms(document.title) * TITLE_REPEATS + document_terms(document.body)
    made.add_text("text", " ".join(terms))
    return made
