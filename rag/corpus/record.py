"""From one record of a file to a paper, or to the reason why it cannot be one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from rag.text import digest, normalised_title, paper_id, squeeze
from rag.types import Paper, Rejected

TITLE_LIMIT = 1_000  # characters
ABSTRACT_LIMIT = 100_000  # characters

# Under which names exports of reference managers and archives keep what we need, best first.
_TITLE = ("title", "primarytitle", "papertitle")
_ABSTRACT = ("abstract", "text", "summary", "notesabstract", "abstractnote")
_ID = ("id", "arxivid", "arxiv", "eprint", "paperid", "corpusid", "docid", "key")
_YEAR = ("year", "publicationyear", "date", "published")
_AUTHORS = ("authors", "author", "firstauthors")
_URL = ("url", "urls", "link")

_LINE_ENDS = re.compile("[\n\r\v\f\x85\u2028\u2029]+")
_REMOVED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NOT_IN_KEY = re.compile(r"[\W_]+")
_YEAR_DIGITS = re.compile(r"(?<!\d)(?:1[5-9]|20|21)\d\d(?!\d)")
_WEB = re.compile(r"https?://\S+", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/\S+")


class Record(NamedTuple):
    """What a file says about one paper."""

    line: int  # where it begins, counts from 1
    fields: Mapping[str, object]  # by `key` of the file's own names


class Problem(NamedTuple):
    """A record that cannot even be read."""

    line: int  # counts from 1
    reason: str


@lru_cache(maxsize=1024)
def key(name: str) -> str:
    """The form under which two spellings of a field name are the same.

    >>> key("_id"), key("Abstract Note"), key("arXiv_ID")
    ('id', 'abstractnote', 'arxivid')
    """
    return _NOT_IN_KEY.sub("", name.casefold())


def record(line: int, fields: Mapping[str, object]) -> Record:
    """A record with comparable field names; of two that are equal, the first that is filled."""
    comparable: dict[str, object] = {}
    for name, value in fields.items():
        if not comparable.get(key(name)):
            comparable[key(name)] = value
    return Record(line, comparable)


def has_paper_names(names: Iterable[str]) -> bool:
    """Whether a table with these columns can hold papers."""
    keys = {key(name) for name in names}
    return not keys.isdisjoint(_TITLE) and not keys.isdisjoint(_ABSTRACT)


def clean(text: str) -> str:
    """*text* on one line and without control characters, otherwise as written."""
    if text.isprintable():
        return text.strip()
    text = _REMOVED.sub("", _SURROGATE.sub("\ufffd", text)).replace("\t", " ")
    return " ".join(filter(None, (line.strip() for line in _LINE_ENDS.split(text))))


def to_paper(found: Record, source: str) -> Paper | Rejected:
    """The paper that *found* describes, read from the file named *source*."""
    title = squeeze(clean(_first(found.fields, _TITLE)))
    abstract = clean(_first(found.fields, _ABSTRACT))
    reason = _why_not(title, abstract)
    if reason:
        return Rejected(source, found.line, reason)
    return Paper(
        id=paper_id(title),
        title=title,
        abstract=abstract,
        content_hash=digest(title, abstract),
        sources=(source,),
        external_id=clean(_first(found.fields, _ID)) or None,
        year=_year(_first(found.fields, _YEAR)),
        authors=_authors(found.fields),
        url=_url(found.fields),
    )


def _why_not(title: str, abstract: str) -> str:
    """Why these cannot be a paper; empty if they can."""
    if not normalised_title(title[: TITLE_LIMIT + 1]):
        return "no title" if abstract else "no title and no abstract"
    if not any(char.isalnum() for char in abstract):
        return "no abstract"
    if len(title) > TITLE_LIMIT:
        return f"the title has {len(title):,} characters, more than {TITLE_LIMIT:,}"
    if len(abstract) > ABSTRACT_LIMIT:
        return f"the abstract has {len(abstract):,} characters, more than {ABSTRACT_LIMIT:,}"
    return ""


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The first of *names* that is filled, as text; empty if none is."""
    for name in names:
        value = fields.get(name)
        if value is not None and (text := _text(value).strip()):
            return text
    return ""


def _text(value: object) -> str:
    """Text of a JSON value: a string, a whole number, or a list of sentences."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(item for item in value if isinstance(item, str))
    return str(value) if type(value) is int else ""  # a bool or NaN says nothing


def _year(text: str) -> int | None:
    """The first year from 1500 to 2199 in *text*."""
    found = _YEAR_DIGITS.search(text)
    return int(found[0]) if found else None


def _url(fields: Mapping[str, object]) -> str | None:
    """A web address, made of the DOI where there is none; other schemes could run code."""
    address = _WEB.search(clean(_first(fields, _URL)))
    if address:
        return address[0]
    doi = _DOI.search(clean(_first(fields, ("doi",))))
    return f"https://doi.org/{doi[0]}" if doi else None


def _authors(fields: Mapping[str, object]) -> tuple[str, ...]:
    """Names in the order of the file, from a list or from one string."""
    value = next((value for name in _AUTHORS if (value := fields.get(name))), None)
    names = [_name(item) for item in value] if isinstance(value, list) else _split(_text(value))
    return tuple(name for name in (squeeze(clean(name)) for name in names) if name)


def _name(value: object) -> str:
    """The name in one item of an author list: a string, or an object with its parts."""
    if isinstance(value, str):
        return value
    if not isinstance(value, Mapping):
        return ""
    parts = record(0, value).fields
    if whole := _text(parts.get("name")):
        return whole
    given = _first(parts, ("first", "given", "firstname", "givenname"))
    family = _first(parts, ("last", "family", "lastname", "familyname"))
    return f"{given} {family}"


def _split(names: str) -> list[str]:
    """Split a string of names, keeping `Last, First` in one piece.

    >>> _split("Li, Ann; Roy, Bo"), _split("Ann Li, Bo Roy and Cy Day")
    (['Li, Ann', ' Roy, Bo'], ['Ann Li', 'Bo Roy', 'Cy Day'])
    >>> _split("Li, Ann and Roy, Bo")
    ['Li, Ann', 'Roy, Bo']
    """
    if ";" in names:
        return names.split(";")
    pieces = re.split(r",\s*(?:and\s)?\s*|\sand\s", names)
    if all(" " in piece.strip() for piece in pieces):  # whole names, not `Last, First`
        return pieces
    return re.split(r"\sand\s", names)
