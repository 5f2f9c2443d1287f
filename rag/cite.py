"""What a language model writes, read as it arrives: finished sentences and the papers they cite.

A sentence leaves when the word after it has been written, since the rules that end one look at the
next. Text is taken letter by letter, so that the pieces in which it came make no difference.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rag.sentences import spans
from rag.text import normalised_title, squeeze
from rag.words import content_words

LONGEST = 2_000  # characters without the end of a sentence: no prose, and given up
ALIKE = 0.9  # of two titles' letters, by difflib: one is a slip of the other
HINT = 0.1  # what a model's own pointer to a sentence adds to its likeness
TITLE_WORDS = 4  # a shorter quotation in capitals may be a name


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a marker points, as the prompt numbers papers and their sentences, from 1."""

    paper: int
    sentence: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A finished sentence of a model, apart from its markers."""

    text: str
    pointers: tuple[Pointer, ...] = ()  # each once, and none that points nowhere
    problem: str = ""  # a sentence for people, where no check is needed to strike it
    heading: bool = False


class Writing:
    """Reads a stream of text; one for each stream."""

    def __init__(self, sizes: Sequence[int], titles: Sequence[str]) -> None:
        """*sizes* are the sentences of each numbered paper, *titles* those of the whole store.

        The titles of the numbered papers come first, in their order.
        """
        self._sizes = sizes
        self._titles = {normalised_title(title): title for title in reversed(titles)}
        self._numbers = {
            normalised_title(title): n for n, title in enumerate(titles[: len(sizes)], 1)
        }
        self._line = ""
        self._hidden = ""  # the name of a tag whose inside is not for people
        self.thought = False  # all before the last piece were thoughts: the answer begins in it

    def feed(self, piece: str) -> list[Written]:
        """The sentences that *piece* finishes.

        Some servers put the opening of a model's thoughts into their own prompt, so that only the
        end of them tells what they were; then `thought` is true until the next piece.
        """
        self.thought = False
        done: list[Written] = []
        for letter in piece:
            done += self._letter(letter)
            if letter == ">" and _UNOPENED.search(self._line):
                self._line, self.thought, done = "", True, []
        return done

    def finish(self, *, whole: bool = True) -> list[Written]:
        """What is left at the end; of a stream that broke off (not *whole*) only what has ended."""
        line, self._line = self._line, ""
        if self._hidden:
            return []
        return list(self._sentences(line, last_too=whole or bool(_ENDED.search(line))))

    @property
    def endless(self) -> bool:
        """Whether no sentence has ended for so long that none will."""
        return len(self._line) > LONGEST

    @property
    def pending(self) -> str:
        """The words of the sentence that is being written, without markers, whole or half."""
        if self._hidden or _FENCE.match(self._line):
            return ""
        return unmarked(_apart(_HALF.sub("", _BULLET.sub("", self._line)))[0])

    def _letter(self, letter: str) -> Iterator[Written]:
        if self._hidden:
            self._line = (self._line + letter)[-20:]
            if self._line.casefold().endswith(f"</{self._hidden}>"):
                self._hidden = self._line = ""
            return
        if letter in "\r\n":
            line, self._line = self._line, ""
            yield from self._sentences(line, last_too=True)
            return
        if letter == ">" and (tag := _HIDING.search(f"{self._line}>")):
            self._hidden, self._line = tag[1].casefold(), self._line[: tag.start()]
            return
        if letter.isspace() and _MAY_END.search(self._line) and not _HALF.search(self._line):
            yield from self._finished()
        self._line += letter

    def _finished(self) -> Iterator[Written]:
        """The sentences of the line before the one that is being written."""
        text, at, markers = _apart(self._line)
        found = spans(text)
        # One that holds nothing but marks is still being opened.
        if len(found) < 2 or not any(c.isalnum() for c in text[found[-1][0] :]):
            return
        begins = at[found[-1][0]]
        if any(start < begins < end for start, end, _ in markers):
            return
        done, self._line = self._line[:begins], self._line[begins:]
        yield from self._sentences(done, last_too=True)

    def _sentences(self, line: str, *, last_too: bool) -> Iterator[Written]:
        """The sentences of *line* with the markers that stand in each or right behind it."""
        if _FENCE.match(line):
            return
        heading = bool(_HEADING.match(line))
        line = _BULLET.sub("", line)
        text, at, markers = _apart(line)
        found = spans(text)
        begin = 0
        for place, (start, end) in enumerate(found):
            if place == len(found) - 1 and not last_too:
                return
            stop = at[found[place + 1][0]] if place + 1 < len(found) else len(line)
            inside = [p for s, _, ps in markers if begin <= s < stop for p in ps]
            begin = stop
            one = self._written(text[start:end], inside)
            if one.text:
                yield replace(one, heading=heading)

    def _written(self, text: str, pointers: Sequence[Pointer]) -> Written:
        known = [pointer for one in pointers if (pointer := self._real(one))]
        text = _YEARS.sub("", text)
        problem = ""
        for quoted in list(_QUOTED.finditer(text)):
            title = self._title(quoted[2])
            if title:
                text = text.replace(quoted[0], f"{quoted[1]}{title}{quoted[3]}")
                number = self._numbers.get(normalised_title(title))
                known += [Pointer(number)] if number else []
            elif _looks_like_a_title(quoted[2]):
                problem = f"no paper here has the title “{quoted[2]}”"
        return Written(unmarked(text), tuple(dict.fromkeys(known)), problem)

    def _real(self, pointer: Pointer) -> Pointer | None:
        """*pointer* as far as it points at something; None for a paper that was not given."""
        if not 1 <= pointer.paper <= len(self._sizes):
            return None
        inside = pointer.sentence and 1 <= pointer.sentence <= self._sizes[pointer.paper - 1]
        return pointer if inside else Pointer(pointer.paper)

    def _title(self, typed: str) -> str:
        """The store's title that *typed* is, but for slips; empty if there is none."""
        key = normalised_title(typed)
        if key in self._titles or len(key.split()) < TITLE_WORDS:
            return self._titles.get(key, "")
        near = difflib.get_close_matches(key, self._titles, n=1, cutoff=ALIKE)
        return self._titles[near[0]] if near else ""


def likeness(text: str, sentence: str, cosine: float, *, hinted: bool) -> float:
    """How well *sentence* supports *text*: cosine, words in common, and a little for a hint."""
    words = content_words(text)
    overlap = len(words & content_words(sentence)) / len(words) if words else 0.0
    return cosine + overlap + (HINT if hinted else 0.0)


def unmarked(text: str) -> str:
    """*text* without Markdown and HTML: a model's emphasis and links are not the page's.

    >>> unmarked("**Fast** <b>and</b> [small](http://x.org)")
    'Fast and small'
    """
    text = _COMMENT.sub("", _LINK.sub(r"\1", text))
    text = _TAG.sub("", text)
    return squeeze(_EMPHASIS.sub("", text))


def _apart(line: str) -> tuple[str, list[int], list[tuple[int, int, list[Pointer]]]]:
    """*line* without markers, where each of its letters stands in *line*, and the markers."""
    kept: list[str] = []
    at: list[int] = []
    markers: list[tuple[int, int, list[Pointer]]] = []
    end = 0
    for found in [*_MARKER.finditer(line), None]:
        stop = found.start() if found else len(line)
        kept.append(line[end:stop])
        at.extend(range(end, stop))
        if found:
            markers.append((found.start(), found.end(), _pointers(found[0])))
            end = found.end()
    return "".join(kept), [*at, len(line)], markers


def _pointers(marker: str) -> list[Pointer]:
    found = []
    for part in _NUMBER.finditer(marker):
        first, inner, last = int(part[1]), part[2], part[3]
        found += (
            [Pointer(n) for n in range(first, min(int(last), first + 20) + 1)]
            if last
            else [Pointer(first, int(inner) if inner else None)]
        )
    return found


def _looks_like_a_title(quoted: str) -> bool:
    words = [word for word in quoted.split() if len(word) > 3]
    return (
        len(quoted.split()) >= TITLE_WORDS and sum(w[0].isupper() for w in words) > len(words) / 2
    )


_ONE = r"(?:paper\s+|source\s+)?\d{1,3}(?:\.\d{1,3})?(?:\s?[-–—]\s?\d{1,3})?"
_MARKER = re.compile(rf"[ \t]*[\[【]\s?{_ONE}(?:\s?[,;]\s?{_ONE})*\s?[\]】]", re.IGNORECASE)
_NUMBER = re.compile(r"(\d{1,3})(?:\.(\d{1,3}))?(?:\s*[-–—]\s*(\d{1,3})(?!\.))?")
_HALF = re.compile(r"[\[【][\d\s.,;–—-]*(?:paper|source)?\s*$|<[^<>]*$", re.IGNORECASE)
_MAY_END = re.compile(r"[.!?…。！？][^\s]*\s")
_ENDED = re.compile(r"[.!?…。！？][\"”’)\]】\s\d,.;*_]*$")
_FENCE = re.compile(r"\s*(?:```|~~~|[-=*_|:\s]{3,}$)")
_HEADING = re.compile(
    r"\s*(?:#{1,6}\s|(?:\*\*|__)[^*_]{1,100}(?:\*\*|__):?\s*$|[^.!?]{1,100}:\s*$)"
)
_BULLET = re.compile(r"^\s*(?:(?:[-*+•>]|#{1,6}|\d{1,2}[.)])\s+)+")
_HIDING = re.compile(r"<\s*(think|thinking|reasoning|script|style)\b[^<>]*>$", re.IGNORECASE)
_UNOPENED = re.compile(r"<\s*/\s*(?:think|thinking|reasoning)\s*>$", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|$)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
# An asterisk between two figures multiplies them: "8*16B".
_EMPHASIS = re.compile(r"(?<!\d)\*+|\*+(?!\d)|(?<!\w)_+|_+(?!\w)|`+|~~|\|")
_QUOTED = re.compile(r"([\"“«*_])([^\"“”«»*_]{8,300})([\"”»*_])")
_YEARS = re.compile(r"\s*\((?:[A-Z][\w'’-]+[^()]{0,60}?,?\s+)(?:19|20)\d\d[a-z]?\)")
