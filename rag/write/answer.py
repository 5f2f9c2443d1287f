"""An answer in a model's words, sentence by sentence, each checked as soon as it is finished.

The extractive answer is made first. It decides whether there is anything to answer, its papers are
what the model is given, and it is what a person gets whenever the model is of no use.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag import compose
from rag.chunk import count_tokens
from rag.cite import Writing, Written
from rag.errors import ModelError, PaperChatError
from rag.prompts import render
from rag.retrieve import Library, latin_share, sentence_vectors, sentences_of
from rag.text import digest, squeeze
from rag.types import (
    Chat,
    Citation,
    Draft,
    Judge,
    Message,
    Paper,
    Reply,
    Source,
    Statement,
    Usage,
)
from rag.words import STOPWORDS
from rag.write.objects import parsed
from rag.write.policy import POLICY, Checker, is_refusal, is_silence
from rag.write.sheet import Entry, Sheet, harmless, sheet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SILENT = "NOT STATED"
MOST_TOKENS = 700  # of an answer
MOST_PAPERS = 5
MOST_REWRITTEN = 6
MOST_TERMS = 8  # that a question is searched with beside its own
MOST_SAID = 12  # sentences; an answer that goes on is a list or a loop
TWICE = 2  # a sentence said more often than this is a loop
PACE = 0.1  # seconds between two looks at a sentence that is being written
LEAST_WORDS = 8  # from which a language can be told
OTHER_LANGUAGE = 0.12  # share of English function words; English text has about 0.4


@dataclass(slots=True)
class Progress:
    """An answer while it is written."""

    kept: list[Statement | None] = field(default_factory=list)  # None: still to be mended
    failed: dict[int, Statement] = field(default_factory=dict)  # by place in `kept`
    removed: list[Statement] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)  # sentences, whatever became of them
    pending: str = ""  # words of the sentence that is being written, not checked
    silent: bool = False
    refused: bool = False
    notice: str = ""
    usage: Usage = field(default_factory=Usage)

    def forget(self) -> None:
        """Take back all that has been said, which turns out to have been the model's thoughts."""
        self.kept.clear()
        self.failed.clear()
        self.heard.clear()
        self.pending = ""


def answer(library: Library, question: str, k: int, chat: Chat, judge: Judge) -> Iterator[Draft]:
    """The answer to *question* as it grows; the last draft is whole.

    A model never turns `off_topic` or `no_paper` into an answer; where none of the question's words
    is in any paper, it may say how the field would put it, and that is then asked anew. Where its
    own answer is of no use (no server, no sense, nothing that stands the check) the last draft is
    the extractive one with a notice.
    """
    plain = compose.answer(library, question, k)
    unfound = plain.abstention in {"off_topic", "no_paper"}
    if unfound and not any(hit.lexical for hit in plain.retrieved):
        plain = _expanded(library, question, k, chat) or plain
    if plain.abstention in {"off_topic", "no_paper"} or not plain.retrieved:
        yield plain
        return
    papers = _sheet(library, question, plain)
    messages = [
        Message("system", render("answer", silent=SILENT)),
        Message(
            "user",
            render("answer_question", papers=papers.text, question=harmless(question)),
        ),
    ]
    hashed = digest(*(message.content for message in messages))
    plain = replace(plain, trace={**plain.trace, "prompt": hashed})
    yield replace(plain, statements=(), sources=(), abstention=None, mode="llm",
                  trace={**plain.trace, "step": "writing"})  # fmt: skip
    so_far = Progress()
    checker = Checker(library, judge, papers)
    for _ in _listen(chat, messages, checker, so_far, question):
        yield _draft(plain, papers, so_far, chat, step="writing")
    if so_far.failed and not so_far.silent:
        yield _draft(plain, papers, so_far, chat, step="checking")
        _mend(chat, checker, so_far, question, plain)
    yield _ended(plain, papers, so_far, chat)


def _expanded(library: Library, question: str, k: int, chat: Chat) -> Draft | None:
    """The extractive answer to *question* with the field's own terms, where none of its words hit.

    Whether that is an answer is decided as ever.
    """
    so_far = Progress()
    prompt = render("expand_question", question=harmless(question))
    terms = complete(chat, "expand", prompt, so_far).get("terms")
    words = [squeeze(term) for term in terms if isinstance(term, str)] if isinstance(
        terms, list) else []  # fmt: skip
    if not words:
        return None
    made = compose.answer(library, f"{question} ({', '.join(words[:MOST_TERMS])})", k)
    return replace(made, trace={**made.trace, "expanded": ", ".join(words[:MOST_TERMS])})


def _sheet(library: Library, question: str, plain: Draft) -> Sheet:
    """The papers that the extractive answer cites, and then the best found, within the budget."""
    vector = library.embedder([question])[0]
    by_id = {hit.paper.id: hit.paper for hit in plain.retrieved}
    cited = [by_id[source.paper_id] for source in plain.sources if source.paper_id in by_id]
    rest = [hit.paper for hit in plain.retrieved if hit.paper not in cited]
    return sheet([entry_of(library, one, vector) for one in [*cited, *rest][:MOST_PAPERS]],
                 count_tokens)  # fmt: skip


def entry_of(library: Library, paper: Paper, vector: NDArray[np.float32]) -> Entry:
    """*paper* with how near its sentences are to the question of *vector*, (dim,)."""
    place = library.snapshot.places[paper.id]
    near = sentence_vectors(library.snapshot, place) @ vector
    return Entry(paper, tuple(sentences_of(library.snapshot, place)), tuple(map(float, near)))


# --- Listening ------------------------------------------------------------------------------------


def _listen(
    chat: Chat, messages: Sequence[Message], checker: Checker, so_far: Progress, question: str
) -> Iterator[None]:
    """Take in what the model says; yields whenever there is something new to show."""
    titles = [entry.paper.title for entry in checker.sheet.entries]
    store = (paper.title for paper in checker.library.snapshot.papers)
    writing = Writing(checker.sheet.sizes, [*titles, *store])
    told = 0.0
    for one in _sentences(chat, messages, writing, so_far):
        now = time.monotonic()
        if one is not None and _take(one, checker, so_far):
            so_far.pending = writing.pending
            yield
        elif one is None and now - told >= PACE and not _may_be_silence(writing.pending):
            told, so_far.pending = now, writing.pending
            if so_far.pending:
                yield
    so_far.pending = ""
    if _other_language(question, " ".join(so_far.heard)):
        so_far.notice = "the model answered in another language than the question's"
        so_far.kept.clear()
        so_far.failed.clear()


def _sentences(
    chat: Chat, messages: Sequence[Message], writing: Writing, so_far: Progress
) -> Iterator[Written | None]:
    """What the model says, until it ends, fails, refuses or says the same again and again.

    None after each piece, whether or not it finished a sentence.
    """
    reply: Reply | None = None
    whole = False
    try:
        reply = chat(messages, MOST_TOKENS)
        for piece in reply:
            finished = writing.feed(piece)
            if writing.thought:
                so_far.forget()
            yield from finished
            yield None
            if so_far.silent or so_far.refused:
                return
            if writing.endless or _loops(so_far.heard):
                so_far.notice = "the model went round in circles"
                return
        whole = reply.finished != "length"
    except PaperChatError as error:
        so_far.notice = str(error).rstrip(".")
    except Exception as error:  # a server's oddity that its door does not know
        so_far.notice = f"the model's reply could not be read ({type(error).__name__})"
    finally:
        if reply is not None:
            so_far.usage += reply.usage
            reply.close()
    if not whole and not so_far.notice:
        so_far.notice = "the model's answer was cut off"
    yield from writing.finish(whole=whole)


def _take(one: Written, checker: Checker, so_far: Progress) -> bool:
    """Check a finished sentence; whether there is something new to show."""
    so_far.heard.append(one.text)
    if not so_far.kept and (SILENT in one.text or _is_token(one.text)):
        so_far.silent = True
        return False
    if not one.pointers and is_refusal(one.text):
        so_far.refused = True
        return False
    if is_silence(one.text) or so_far.heard.count(one.text) > 1:
        return False  # that a paper does not say something is no answer, nor is a repetition
    statement = checker(one)
    if statement is None:
        return False
    place = len(so_far.kept)
    if POLICY[statement.verdict] == "rewrite":
        so_far.failed[place] = statement
        so_far.kept.append(None)
        return False
    so_far.kept.append(statement)
    return True


def _may_be_silence(words: str) -> bool:
    """Whether *words* are what says that the abstracts are silent, or its beginning."""
    return SILENT in words.upper() or SILENT.startswith(words.upper())


def _is_token(text: str) -> bool:
    return squeeze(text).strip(".*\"'").upper() == SILENT


def _loops(heard: Sequence[str]) -> bool:
    return len(heard) > MOST_SAID or (bool(heard) and heard.count(heard[-1]) > TWICE)


def _other_language(question: str, text: str) -> bool:
    """Whether *text* is in another script, or no English though *question* is."""
    if len(text) > 40 and abs(latin_share(question) - latin_share(text)) > 0.5:
        return True
    asked, said = _english(question), _english(text)
    return len(text.split()) >= LEAST_WORDS and asked >= 2 * OTHER_LANGUAGE > 2 * said


def _english(text: str) -> float:
    words = [word.strip(".,;:?!()'\"") for word in text.casefold().split()]
    return sum(word in STOPWORDS for word in words) / len(words) if words else 0.0


# --- Mending --------------------------------------------------------------------------------------


def _mend(chat: Chat, checker: Checker, so_far: Progress, question: str, plain: Draft) -> None:
    """Put something that stands the check in the place of each failed sentence, or nothing."""
    anew = _rewritten(chat, checker, so_far, question)
    shown = {one.text for one in so_far.kept if one}
    fitting = () if plain.abstention else plain.statements
    quoted = [one for one in fitting if one.text not in shown]
    for place, failed in so_far.failed.items():
        why = failed.reasons
        better = anew.get(place)
        if better is not None:
            so_far.kept[place] = better
            so_far.removed.append(replace(failed, reasons=(*why, "rewritten from the abstract")))
            continue
        cited = {citation.paper_id for citation in failed.citations}
        spare = next((q for q in quoted if cited & {c.paper_id for c in q.citations}), None)
        if spare is not None:
            quoted.remove(spare)
            so_far.kept[place] = _numbered(spare, checker.sheet)
            why = (*why, "a quotation stands in its place")
        so_far.removed.append(replace(failed, reasons=why))
    so_far.failed.clear()


def _rewritten(
    chat: Chat, checker: Checker, so_far: Progress, question: str
) -> dict[int, Statement]:
    """What the model makes, in one call, of the sentences that failed, as far as it stands."""
    places = list(so_far.failed)[:MOST_REWRITTEN]
    told = "\n".join(
        f"{n}. {harmless(so_far.failed[place].text)}"
        f" (Wrong: {harmless('; '.join(so_far.failed[place].reasons))})"
        for n, place in enumerate(places, 1)
    )
    prompt = render("rewrite_question", papers=checker.sheet.text,
                    question=harmless(question), sentences=told)  # fmt: skip
    rows = complete(chat, "rewrite", prompt, so_far).get("sentences")
    found: dict[int, Statement] = {}
    for row in rows if isinstance(rows, list) else ():
        number, text = (row.get("number"), row.get("text")) if isinstance(row, dict) else (0, "")
        if not isinstance(number, int) or not 1 <= number <= len(places) or not text:
            continue
        writing = Writing(checker.sheet.sizes, [e.paper.title for e in checker.sheet.entries])
        for one in [*writing.feed(str(text)), *writing.finish()][:1]:
            checked = None if is_silence(one.text) else checker(one)
            known = {kept.text for kept in so_far.kept if kept}
            if checked and checked.verdict == "supported" and checked.text not in known:
                found[places[number - 1]] = checked
    return found


def complete(chat: Chat, name: str, prompt: str, so_far: Progress) -> dict[str, object]:
    """The object that *chat* replies to *prompt* under the rules `prompts/<name>.md`, or {}."""
    reply: Reply | None = None
    said = ""
    try:
        reply = chat([Message("system", render(name)), Message("user", prompt)], MOST_TOKENS, True)
        for piece in reply:
            said += piece
    except ModelError:
        pass  # what has been said may still be an object, and without one nothing is lost
    finally:
        if reply is not None:
            so_far.usage += reply.usage
            reply.close()
    return dict(parsed(said))


def _numbered(statement: Statement, papers: Sheet) -> Statement:
    """A quotation of the extractive answer with the numbers that its papers have here."""
    numbers = {entry.paper.id: n for n, entry in enumerate(papers.entries, 1)}
    cited = tuple(replace(c, n=numbers.get(c.paper_id, c.n)) for c in statement.citations)
    return replace(statement, citations=cited, verdict="supported",
                   reasons=("quoted word for word",))  # fmt: skip


# --- The draft ------------------------------------------------------------------------------------


def _ended(plain: Draft, papers: Sheet, so_far: Progress, chat: Chat) -> Draft:
    """The whole answer: the model's, its silence, or the extractive one with why."""
    supported = [one for one in so_far.kept if one and one.verdict == "supported"]
    written = any(one.reasons != ("quoted word for word",) for one in supported)
    if so_far.silent and not supported and not so_far.notice:
        at_hand = plain.sources or tuple(
            Source(n, entry.paper.id, entry.paper.title)
            for n, entry in enumerate(papers.entries[:1], 1)
        )
        return replace(plain, statements=(), abstention="not_stated", sources=at_hand, mode="llm",
                       model=chat.name, usage=so_far.usage, retrieved=plain.retrieved)  # fmt: skip
    if not written or (so_far.refused and not supported):
        return replace(
            plain, usage=so_far.usage, notice=_why(so_far), removed=tuple(so_far.removed)
        )
    notice = f"Only a part: {so_far.notice}." if so_far.notice else ""
    return replace(_draft(plain, papers, so_far, chat), notice=notice)


def _why(so_far: Progress) -> str:
    reason = so_far.notice
    if not reason and so_far.refused:
        reason = "the model refused"
    if not reason and not so_far.heard:
        reason = "the model said nothing"
    reason = reason or "nothing that the model wrote stood the check"
    return f"Quoted instead of written: {reason}."


def _draft(plain: Draft, papers: Sheet, so_far: Progress, chat: Chat, step: str = "") -> Draft:
    """What is there of the answer so far, papers numbered in the order in which they are cited."""
    kept = [one for one in so_far.kept if one]
    order = dict.fromkeys(c.n for one in kept for c in one.citations)
    numbers = {old: n for n, old in enumerate(order, 1)}

    def shown(citation: Citation) -> Citation:
        return replace(citation, n=numbers.get(citation.n, len(numbers) + 1))

    def renumbered(one: Statement) -> Statement:
        return replace(one, citations=tuple(map(shown, one.citations)))

    sources = tuple(
        Source(n, papers.paper(o).id, papers.paper(o).title) for o, n in numbers.items()
    )
    trace = {**plain.trace, **({"step": step} if step else {})}
    return replace(
        plain,
        statements=tuple(map(renumbered, kept)),
        sources=sources,
        abstention=None,
        removed=tuple(map(renumbered, so_far.removed)),
        mode="llm",
        model=chat.name,
        usage=so_far.usage,
        trace=trace,
        pending=so_far.pending,
        found_at=plain.found_at or time.perf_counter(),
    )
