"""The one place that chooses parts, and the product's public face.

`index` brings papers in, `open_chat` answers from them, `doctor` looks whether all is well.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag import (
    compare,
    compose,
    corpus,
    followup,
    health,
    indexing,
    journal,
    observe,
    retrieve,
    store,
    survey,
)
from rag.atlas import Atlas, atlas
from rag.catalog import Catalog
from rag.errors import ModelError, NoIndex, StoreError, UsageError
from rag.late import Sparing
from rag.names import key_of
from rag.prompts import render
from rag.question import focus
from rag.route import Route, route
from rag.settings import EMBEDDED, WAYS, Settings, Way
from rag.shelf import Shelf
from rag.text import paper_id
from rag.types import (
    Answer,
    Chat,
    ClaimReader,
    Corpus,
    Draft,
    Embedder,
    Hit,
    IndexReport,
    Judge,
    Judgement,
    Message,
    Mode,
    PairReader,
    Paper,
    Progress,
)
from rag.verify import judge_with, verify, verify_table, verify_written
from rag.write.answer import answer as write_answer
from rag.write.cells import fill
from rag.write.choose import choose
from rag.write.condense import condensing
from rag.write.opinion import with_opinion

if TYPE_CHECKING:
    from rag.llm import Capped

MOST_PAPERS: Mapping[Way, int] = {"full": 20_000, "windows": 300_000}  # of a new store, by itself
DRAWN_AT_ONCE = 20_000  # papers; of more the map is drawn when somebody looks at it
MOST_CHARACTERS = 20_000  # of a question: a long paste with the question at its end still fits
RETRIEVED = 20
FEWEST_COMPARED, MOST_COMPARED = 2, 5
MOST_CLAIM, MOST_TITLE = 5_000, 500  # characters


class PaperChat:
    """A collection that answers. Safe to use from many threads at once."""

    def __init__(
        self,
        settings: Settings,
        condense: followup.Condense = followup.resolve,
        chat: Chat | None = None,
        judge: Judge | None = None,
    ) -> None:
        """Load the index. Raises NoIndex, StoreError, EmbeddingError.

        *condense* says what a question of a conversation means on its own. *chat* and *judge* stand
        in for the language model that the settings name and for the check of what it writes.
        """
        self._settings = settings
        self._condense = condense
        self._embedder = choose_embedder(settings)
        self._reader = choose_reader(settings)
        self._chat = chat or choose_chat(settings)
        self._judge = judge or choose_judge(settings, self._embedder)
        self._shelf = Shelf(lambda: _load(settings, choose_indexer(settings)))

    def ask(self, question: str, conversation: Sequence[Answer] = (), mode: str = "auto") -> Answer:
        """Answer *question*, which may refer to the *conversation*'s earlier answers.

        *mode* is auto, extractive or llm. Raises UsageError for an empty or an overlong question,
        and for llm where no language model is set up. A refusal is an Answer.
        """
        *_, whole = self.stream(question, conversation, mode)
        return whole

    def stream(
        self, question: str, conversation: Sequence[Answer] = (), mode: str = "auto"
    ) -> Iterator[Answer]:
        """Like `ask`, the answer as it grows: the last one is whole.

        Those before have a "step" in their trace: "writing" or "checking". Closing the iterator
        stops the language model. An extractive answer comes whole.
        """
        with observe.request("ask", question) as seen:
            for seen.answer in self._stream(question, conversation, mode):
                yield seen.answer

    def _stream(self, question: str, conversation: Sequence[Answer], mode: str) -> Iterator[Answer]:
        check_question(question)
        writes = self._writes(mode)
        began = time.perf_counter()
        library = self._library()
        condense = self._condense
        within = self._within() if writes else None
        if within is not None:
            condense = condensing(within, condense)
        read_as = condense(library, question, conversation)
        way = route(read_as.question)
        if read_as.of_one and way.shape == "list":
            way = Route("answer", "asked of one paper that was spoken of")
        if read_as.problem:
            drafts: Iterable[Draft] = [Draft("chat", message=read_as.problem)]
        else:
            drafts = self._drafts(library, read_as.question, way, within)
        for draft in drafts:
            if within is not None:  # every call for this question, whatever became of it
                draft = replace(draft, usage=within.usage)
            trace = {"route": way.reason, "follow-up": read_as.reason, **draft.trace}
            yield self._finished(library, question, read_as.question, draft, trace, began)

    def compare(
        self, subjects: Sequence[str], axes: Sequence[str] = (), mode: str = "auto"
    ) -> Answer:
        """Set *subjects*, titles or names of two to five papers, side by side.

        *axes* are what to compare on; without them, what the abstracts speak to. *mode* is as in
        `ask`. Raises UsageError.
        """
        with observe.request("compare", _spelt_out(subjects, axes)) as seen:
            seen.answer = self._compare(subjects, axes, mode)
            return seen.answer

    def _compare(self, subjects: Sequence[str], axes: Sequence[str], mode: str) -> Answer:
        check_subjects(subjects, axes)
        within = self._within() if self._writes(mode) else None
        question = _spelt_out(subjects, axes)
        check_question(question)
        began = time.perf_counter()
        library = self._library()
        draft = compare.compare(library, question, subjects, axes)
        if draft is None:
            raise UsageError("these name fewer than two different things; name two to five papers")
        if within is not None:
            draft = fill(library, question, draft, within, self._checking(within))
            draft = replace(draft, usage=within.usage)
        trace = {"route": "asked to compare", **draft.trace}
        return self._finished(library, question, question, draft, trace, began)

    def _writes(self, mode: str) -> bool:
        """Whether a language model is to write. Raises UsageError where there is none for llm."""
        if self._chat is None or mode == "extractive":
            return choose_mode(mode, self._settings) == "llm"
        return True

    def verify(self, claim: str, title: str) -> Judgement:
        """Whether the abstract of the paper called *title* bears *claim*.

        Case, spaces and punctuation of the title do not matter, and a part of it or the name of its
        system will do where only one paper has it. Raises UsageError.
        """
        with observe.request("verify", claim) as seen:
            judged = self._verify(claim, title)
            seen.outcome = judged.verdict
            return judged

    def _verify(self, claim: str, title: str) -> Judgement:
        check_claim(claim)
        paper = self.titled(title)
        within = self._within() if self._settings.judge else None
        judge = self._judge if within is None else with_opinion(self._judge, within)
        judged = judge(claim.strip(), [paper])
        if judged.verdict == "unverified":
            return judged
        exact = all(paper.abstract[e.start : e.end] == e.text for e in judged.evidence)
        return judged if exact else replace(judged, verdict="unverified", evidence=())

    def titled(self, title: str) -> Paper:
        """The one paper that *title* means. Raises UsageError, naming the nearest titles."""
        snapshot = self._current()
        place = snapshot.places.get(paper_id(title))
        if place is not None:
            return snapshot.papers[place]
        key = key_of(title)
        found = [paper for paper in snapshot.papers if key and key in key_of(paper.title)]
        whole = [paper for paper in found if key_of(paper.title) == key]
        heads = [paper for paper in found if key_of(paper.title.partition(":")[0]) == key]
        for fitting in (whole, heads, found):
            if len(fitting) == 1:
                return fitting[0]
        hits = () if not title.strip() else self._search(title[:MOST_TITLE], 3)
        near = "; ".join(f"“{hit.paper.title}”" for hit in hits)
        raise UsageError(
            f"no paper here is called “{title[:80]}”"
            + (f": did you mean {near}?" if near else "; give a title")
        )

    def _drafts(
        self, library: retrieve.Library, question: str, way: Route, chat: Chat | None
    ) -> Iterator[Draft]:
        """Ask the verb of *way*'s shape; what is not of that shape after all is answered."""
        made: Draft | None = None
        match way.shape:
            case "chat":
                made = self._small_talk(library.snapshot)
            case "comparison":
                made = compare.compare(library, question)
            case "list":
                made = compare.compare_each(library, question) or survey.survey(library, question)
                if made is None:
                    sides = {"comparison": compare.compare, "answer": compare.compare_named}
                    made = (
                        sides[way.otherwise](library, question) if way.otherwise in sides else None
                    )
            case "answer":
                made = compare.compare_named(library, question)
        if made is not None and (chat is None or made.shape == "chat"):
            yield made
            return
        if chat is None:
            yield compose.answer(library, question, RETRIEVED)
            return
        judge = self._checking(chat)
        if made is not None and made.shape == "list":
            yield from choose(library, question, made, chat, self._settings.price)
        elif made is not None:
            yield fill(library, question, made, chat, judge)
        else:
            yield from write_answer(library, question, RETRIEVED, chat, judge)

    def _checking(self, chat: Chat) -> Judge:
        """What checks the sentences that *chat* writes; *chat* as well, if the settings say so."""
        return with_opinion(self._judge, chat) if self._settings.judge else self._judge

    def _within(self) -> Capped | None:
        """The language model for one question, within its tokens."""
        from rag.llm import capped  # late, like the door itself

        return None if self._chat is None else capped(self._chat, self._settings.most_tokens)

    def _finished(
        self,
        library: retrieve.Library,
        question: str,
        read_as: str,
        draft: Draft,
        trace: Mapping[str, str],
        began: float,
    ) -> Answer:
        """Verify *draft* against the store and make it the answer to *question*."""
        composed = time.perf_counter()
        snapshot = library.snapshot
        papers = store.ById(snapshot)
        check = verify_written if draft.mode == "llm" else verify
        statements = check(draft.statements, papers)
        table = verify_table(draft.table, papers) if draft.table else None
        ended = time.perf_counter()
        found = draft.found_at or composed
        return Answer(
            question=question,
            standalone_question=read_as,
            shape=draft.shape,
            mode=draft.mode,
            statements=statements,
            sources=draft.sources,
            abstention=draft.abstention,
            message=draft.message or _message(draft.abstention, len(papers)),
            table=table,
            coverage=draft.coverage,
            near=draft.near,
            removed=draft.removed,
            notice=draft.notice,
            pending=draft.pending,
            model=draft.model,
            usage=draft.usage,
            retrieved=draft.retrieved,
            papers_in_corpus=len(papers),
            index=snapshot.manifest.index_hash,
            timings_ms={
                "retrieve": _milliseconds(began, found),
                "compose": _milliseconds(found, composed),
                "verify": _milliseconds(composed, ended),
                "total": _milliseconds(began, ended),
            },
            trace={name: said for name, said in trace.items() if said},
        )

    def search(self, query: str, n: int) -> tuple[Hit, ...]:
        """The *n* best papers for *query*, best first. Raises UsageError."""
        with observe.request("search", query) as seen:
            hits = self._search(query, n)
            seen.outcome = "found" if hits else "nothing"
            return hits

    def _search(self, query: str, n: int) -> tuple[Hit, ...]:
        check_question(query)
        snapshot = self._current()
        return retrieve.read(snapshot, self._embedder, focus(query), n).hits

    def papers(self) -> Sequence[Paper]:
        """All papers, by title."""
        return sorted(self._current().papers, key=lambda paper: (paper.title, paper.id))

    def atlas(self) -> Atlas:
        """The map of the collection."""
        return _atlas(self._settings, self._current())

    def index_hash(self) -> str:
        """The hash of the live index generation."""
        return self._current().manifest.index_hash

    def describe(self) -> str:
        """What the collection holds, in a few words."""
        return _described(self._current())

    def examples(self, most: int = 4) -> tuple[str, ...]:
        """Questions that this collection can answer, drawn from its own papers."""
        return compose.example_questions(self._current(), most)

    def _small_talk(self, snapshot: store.Snapshot) -> Draft:
        examples = compose.example_questions(snapshot, 3)
        text = render(
            "chat", count=_described(snapshot), examples="\n".join(f"- {line}" for line in examples)
        )
        return Draft("chat", message=text)

    def _library(self) -> retrieve.Library:
        return retrieve.Library(self._current(), self._embedder, self._reader)

    def _current(self) -> store.Snapshot:
        """The live generation: a finished update by any process is seen by itself.

        A large one is read in the background, while the one before goes on answering.
        """
        return self._shelf.current()


def index(
    settings: Settings,
    paths: Sequence[Path] | None = None,
    prune: bool = False,
    progress: Progress | None = None,
    *,
    rebuild: bool = False,
    turn: indexing.Turn = indexing.NOW,
) -> IndexReport:
    """Add or update papers from *paths* (default: the bundled seeds).

    *turn* says what to do about another process that is indexing.
    Raises CorpusError, StoreError, EmbeddingError; whatever it raises, the index is as it was.
    """
    report = (
        (lambda name, done, total: progress(f"reading {name}", done, total)) if progress else None
    )
    read = corpus.read([bundled_seeds()] if paths is None else paths, report)
    if not read.papers and read.rejected:
        first = read.rejected[0]
        raise UsageError(
            f"no paper could be read; the first of {len(read.rejected)} problems: {first}"
        )
    is_new = not store.stamps(settings.store)

    def choose() -> Embedder:
        return choose_indexer(settings, writing=True, papers=len(read.papers))

    made = indexing.update(
        settings.store,
        read,
        choose_embedder(settings),
        prune=prune,
        rebuild=rebuild,
        progress=progress,
        turn=replace(_at_home(turn, settings), choose=choose),
    )
    embedder = choose_indexer(settings)
    if is_new and not settings.index and isinstance(embedder, Sparing):
        made = replace(made, notes=(*made.notes, _spared(made.new, embedder)))
    if made.new + made.changed + made.unchanged <= DRAWN_AT_ONCE:
        if progress:
            progress("drawing the map", 0, 1)
        _atlas(settings, _load(settings, embedder))
    return made


def _spared(papers: int, embedder: Sparing) -> str:
    what = "abstracts" if embedder.rough else "sentences"
    return (
        f"{papers:,} papers are many: their {what} will be embedded when a question may mean them;"
        " PAPERCHAT_INDEX=full embeds all at once, which takes longer"
    )


def _atlas(settings: Settings, snapshot: store.Snapshot) -> Atlas:
    """The map of *snapshot*, each paper by the mean of its windows' vectors."""
    vectors = np.add.reduceat(snapshot.chunks, snapshot.chunk_starts) if snapshot.papers else None
    return atlas(settings.store, snapshot.manifest.index_hash, snapshot.papers, vectors)


def open_chat(settings: Settings) -> PaperChat:
    """Open the collection for questions. Raises NoIndex, StoreError, EmbeddingError."""
    if not health.anything(settings.store):
        raise NoIndex(f"there is no index in {settings.store}; run `paperchat index` first")
    if not store.exists(settings.store):
        raise StoreError(
            f"the catalog in {settings.store} is missing; run `paperchat doctor --repair`, which"
            " makes it again from the copy of its papers"
        )
    return PaperChat(settings)


def _at_home(turn: indexing.Turn, settings: Settings) -> indexing.Turn:
    """*turn*, with the Chroma server that the settings name."""
    return replace(turn, server=settings.chroma_url)


def ready(settings: Settings) -> bool:
    """Whether the index is finished and of the model that the settings name."""
    if store.generation(settings.store) == 0:
        return False
    return store.is_made_with(settings.store, choose_indexer(settings))


def refresh(
    settings: Settings, progress: Progress | None = None, *, turn: indexing.Turn = indexing.NOW
) -> IndexReport:
    """Make anew what the index holds; bring the bundled seeds in if it holds nothing yet.

    Raises StoreError, EmbeddingError; whatever it raises, the index is as it was.
    """
    if store.generation(settings.store) == 0 and not journal.left(settings.store):
        return index(settings, progress=progress, turn=turn)
    nothing = Corpus((), (), 0)
    report = indexing.update(
        settings.store,
        nothing,
        choose_embedder(settings),
        rebuild=True,
        progress=progress,
        turn=replace(
            _at_home(turn, settings), choose=lambda: choose_indexer(settings, writing=True)
        ),
    )
    with closing(Catalog(settings.store)) as catalog:
        return replace(report, unchanged=len(catalog.papers()))


def doctor(settings: Settings) -> Iterable[tuple[str, bool, str]]:
    """Whether the index is whole: (what was looked at, whether it is well, what was found)."""
    if not health.anything(settings.store):
        raise NoIndex(f"there is no index in {settings.store}; run `paperchat index` first")
    embedder = choose_indexer(settings)
    yield "embedding model", True, embedder.fingerprint
    yield from health.checks(settings.store, embedder, settings.chroma_url)
    yield _answering(settings)


def repair(
    settings: Settings, progress: Progress | None = None, *, turn: indexing.Turn = indexing.NOW
) -> IndexReport:
    """Make every index anew from the papers that the store keeps.

    Raises NoIndex, StoreLocked, StoreVersion, StoreError.
    """
    return health.repair(
        settings.store, choose_indexer(settings), progress, _at_home(turn, settings)
    )


def choose_mode(asked: str, settings: Settings) -> Mode:
    """The mode that *asked* (auto, extractive or llm) means here. Raises UsageError."""
    reachable = bool(settings.api_key or settings.base_url)
    if asked == "llm" and not reachable:
        raise UsageError(
            "--mode llm needs a language model: set OPENAI_API_KEY for OpenAI's, or OPENAI_BASE_URL"
            " for any other server"
        )
    return "llm" if reachable and asked != "extractive" else "extractive"


def choose_judge(settings: Settings, embedder: Embedder) -> Judge:
    """What decides whether abstracts bear a sentence that is no quotation.

    The trained reader is opened with the first sentence: an answer of quotations needs none.
    """
    made: list[Judge] = []

    def judge(claim: str, papers: Sequence[Paper]) -> Judgement:
        if not made:
            made.append(judge_with(embedder, choose_claim_reader(settings)))
        return made[0](claim, papers)

    return judge


def choose_chat(settings: Settings, *, hasty: bool = False) -> Chat | None:
    """The language model that the settings name, if any; *hasty* tries once and for 10 s."""
    if choose_mode("auto", settings) == "extractive":
        return None
    from rag.llm import OpenAIChat, Patience  # late: brings numpy, and later the openai client

    patience = Patience(attempts=1, calls=1, silence=10, deadline=10) if hasty else None
    return OpenAIChat(
        settings.model,
        settings.api_key,
        settings.base_url,
        patience,
        settings.price,
        settings.calls,
    )


def _answering(settings: Settings) -> tuple[str, bool, str]:
    """What `doctor` says of who answers: a language model is asked for a word."""
    chat = choose_chat(settings, hasty=True)
    if chat is None:
        return "answers", True, "extractive: exact quotations, no language model"
    began = time.perf_counter()
    try:
        for _ in chat([Message("user", "Say yes.")], most_tokens=16):
            pass
        name = chat.name
    except ModelError as error:
        return "language model", False, str(error)
    return "language model", True, f"{name} answers in {time.perf_counter() - began:.1f} s"


def choose_embedder(settings: Settings) -> Embedder:
    """The embedding model that the settings name."""
    match settings.embedding_model:
        case name if name == EMBEDDED:
            from rag.embed import load_embedded

            return load_embedded()
        case name:
            from rag.llm import OpenAIEmbedder  # late: the openai client takes a second to import

            return OpenAIEmbedder(name, settings.api_key, settings.base_url)


def choose_indexer(
    settings: Settings, *, writing: bool = False, papers: int | None = None
) -> Embedder:
    """What makes the vectors of papers: the embedding model itself, or one that spares it work.

    That is what the store was made with, unless a writer is told otherwise by the settings; for
    *papers* that are the first of a store it depends on how many they are.
    """
    embedder = choose_embedder(settings)
    if settings.embedding_model != EMBEDDED:
        return embedder
    from rag.warm import warmed  # late: few commands write

    if writing:
        embedder = warmed(embedder)
    if writing and settings.index:
        return _indexer(embedder, settings.index)
    made = store.stamps(settings.store)
    if papers is not None and not made:
        return _indexer(embedder, way_for(papers))
    ways = (_indexer(embedder, way) for way in WAYS if made)
    found = next((one for one in ways if store.fingerprint(one) in made), None)
    if found is None and writing:  # another model or chunking made it: all is made anew, its way
        found = _indexer(embedder, store.noted_way(settings.store) or "full")
    return found or embedder


def way_for(papers: int) -> Way:
    """How so many *papers* are indexed, unless somebody says otherwise."""
    return next((way for way in WAYS if papers <= MOST_PAPERS.get(way, papers)), WAYS[-1])


def _indexer(embedder: Embedder, way: Way) -> Embedder:
    if way == "full":
        return embedder
    from rag.static import load_static  # late: only where sentences are not embedded at once

    return Sparing(load_static(), embedder, rough=way == "fast")


def _load(settings: Settings, indexer: Embedder) -> store.Snapshot:
    """The live generation, made with *indexer*. Raises NoIndex, StoreVersion, StoreError."""
    sparing = indexer if isinstance(indexer, Sparing) else None
    return store.load(settings.store, store.fingerprint(indexer), settings.chroma_url, sparing)


def choose_reader(settings: Settings) -> PairReader | None:
    """The shipped cross-encoder, unless `PAPERCHAT_RERANK=off`."""
    if not settings.rerank:
        return None
    from rag.reader import load_reader

    return load_reader()


def choose_claim_reader(settings: Settings) -> ClaimReader | None:
    """The shipped claim checker, unless `PAPERCHAT_RERANK=off`."""
    if not settings.rerank:
        return None
    from rag.claims import load_claim_checker

    return load_claim_checker()


def bundled_seeds() -> Path:
    """The folder of the five documents that PaperChat ships with."""
    # `seeds` has no __init__.py, being data: ask for one of its files, and take the folder of that.
    document = next(entry for entry in files("seeds").iterdir() if entry.name.endswith(".txt"))
    return Path(str(document)).parent


def check_question(question: str) -> None:
    """Raises UsageError unless *question* can be asked."""
    if not question.strip():
        raise UsageError("the question is empty; ask something about the papers")
    if len(question) > MOST_CHARACTERS:
        raise UsageError(
            f"the question has {len(question):,} characters; ask in at most {MOST_CHARACTERS:,}"
        )


def check_claim(claim: str) -> None:
    """Raises UsageError unless *claim* can be checked."""
    if not claim.strip():
        raise UsageError("the claim is empty; write the sentence to be checked")
    if len(claim) > MOST_CLAIM:
        raise UsageError(
            f"the claim has {len(claim):,} characters; check one sentence of at most {MOST_CLAIM:,}"
        )


def check_subjects(subjects: Sequence[str], axes: Sequence[str] = ()) -> None:
    """Raises UsageError unless *subjects* can be compared on *axes*."""
    if not FEWEST_COMPARED <= len(subjects) <= MOST_COMPARED:
        raise UsageError(f"name two to five papers to compare, not {len(subjects)}")
    if not all(text.strip() for text in (*subjects, *axes)):
        raise UsageError("one of the names is empty; name each paper, and each thing to compare on")


def _described(snapshot: store.Snapshot) -> str:
    """How many papers *snapshot* holds, in words."""
    count = len(snapshot.papers)
    return f"{count:,} paper" + ("" if count == 1 else "s")


def _message(abstention: str | None, count: int) -> str:
    return "" if abstention is None else render(abstention, count=f"{count:,}")


def _spelt_out(subjects: Sequence[str], axes: Sequence[str]) -> str:
    """The comparison that was asked for with names and axes, as a question."""
    on = f" on {', '.join(axes)}" if axes else ""
    return f"Compare {', '.join(subjects)}{on}"


def _milliseconds(began: float, ended: float) -> float:
    return round((ended - began) * 1000, 3)
