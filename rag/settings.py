"""What the environment says, read once into one frozen value.

A misspelt name is an error rather than a default that nobody asked for. No value is repeated in
an error or a `repr`, since a key pasted under the wrong name would end up in a log.
"""

from __future__ import annotations

import difflib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from rag.errors import SettingsError

EMBEDDED = "embedded"
"""The name of the embedding model that comes with PaperChat."""

Way = Literal["full", "windows", "fast"]
WAYS: tuple[Way, ...] = get_args(Way)
"""How papers are indexed, from the most that is embedded to the least."""

PREFIX = "PAPERCHAT_"
NAMES = (
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "PAPERCHAT_AUTH",
    "PAPERCHAT_CALLS",
    "PAPERCHAT_CHROMA_URL",
    "PAPERCHAT_DEBUG",
    "PAPERCHAT_EMBEDDING_MODEL",
    "PAPERCHAT_INDEX",
    "PAPERCHAT_JUDGE",
    "PAPERCHAT_LOG",
    "PAPERCHAT_MODEL",
    "PAPERCHAT_MOST_TOKENS",
    "PAPERCHAT_PRICE",
    "PAPERCHAT_RERANK",
    "PAPERCHAT_STORE",
)
"""Every name that is read."""

_PATHS = {"PAPERCHAT_AUTH", "PAPERCHAT_STORE"}  # may hold any character but the zero byte
_AMOUNT = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_YES_OR_NO = {"1": True, "true": True, "yes": True, "on": True}
_YES_OR_NO |= {"0": False, "false": False, "no": False, "off": False}


def _user_data_folder() -> Path:
    """The folder in which this system keeps a user's data of the program `paperchat`."""
    from platformdirs import user_data_path  # late: only the default needs it

    return _path(user_data_path("paperchat", appauthor=False), "PAPERCHAT_STORE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a person chose through the environment; None where nothing was."""

    # Addresses may carry `user:password@`, so they are as private as the key.
    api_key: str | None = field(default=None, repr=False)
    base_url: str | None = field(default=None, repr=False)  # of any OpenAI-compatible server
    model: str | None = None  # the language model's name at that server
    price: tuple[float, float] | None = None  # US dollars a million tokens: prompts, answers
    most_tokens: int = 20_000  # of a question, its prompts and answers together
    calls: int = 8  # of the language model at once, in this process
    embedding_model: str = EMBEDDED
    index: Way | None = None  # None: as the store is, and a new one by how many papers it has
    store: Path = field(default_factory=_user_data_folder)  # a folder; it need not exist
    chroma_url: str | None = field(default=None, repr=False)  # in place of the embedded store
    auth: Path | None = None  # file of `user:password` lines for the page
    debug: bool = False  # show tracebacks
    judge: bool = False  # the language model judges what the embedded check leaves open
    log: str = ""  # "json": a line for each question; "questions": with its text
    rerank: bool = True  # read the best papers again with the cross-encoder

    @classmethod
    def from_environment(
        cls, store: Path | None = None, environment: Mapping[str, str] | None = None
    ) -> Settings:
        """Read the environment, and below it the `.env` file of the working folder.

        *store*, if given, wins over `PAPERCHAT_STORE`. *environment*, if given, is all that is
        read: neither the process's environment nor `.env`. An empty value is an unset one, and
        hides the same name in `.env`. Raises SettingsError for an unknown `PAPERCHAT_*` name, a
        value that cannot be right, and a `.env` that is no text.
        """
        given = _given(environment)
        place = store or given.get("PAPERCHAT_STORE")
        auth = given.get("PAPERCHAT_AUTH")
        return cls(
            api_key=_key(given, "OPENAI_API_KEY"),
            base_url=_address(given, "OPENAI_BASE_URL"),
            model=given.get("PAPERCHAT_MODEL"),
            price=_price(given, "PAPERCHAT_PRICE"),
            most_tokens=_count(given, "PAPERCHAT_MOST_TOKENS", otherwise=20_000),
            calls=_count(given, "PAPERCHAT_CALLS", otherwise=8),
            embedding_model=given.get("PAPERCHAT_EMBEDDING_MODEL", EMBEDDED),
            index=_index(given),
            store=_path(place, "PAPERCHAT_STORE") if place else _user_data_folder(),
            chroma_url=_address(given, "PAPERCHAT_CHROMA_URL"),
            auth=_path(auth, "PAPERCHAT_AUTH") if auth else None,
            debug=_yes_or_no(given, "PAPERCHAT_DEBUG"),
            judge=_yes_or_no(given, "PAPERCHAT_JUDGE"),
            log=_log(given),
            rerank=_yes_or_no(given, "PAPERCHAT_RERANK", otherwise=True),
        )


def _given(environment: Mapping[str, str] | None) -> dict[str, str]:
    """The known names that have a value, trimmed. Raises SettingsError for an unknown one."""
    everything = {**_dotenv(Path(".env")), **os.environ} if environment is None else environment
    for name in sorted(everything):
        if name.upper().startswith(PREFIX) and name not in NAMES:
            raise SettingsError(f"{name} is not a known setting: did you mean {_nearest(name)}?")
    given = {name: everything[name].strip() for name in NAMES if name in everything}
    for name, value in given.items():
        if "\0" in value if name in _PATHS else not value.isprintable():
            raise SettingsError(f"{name} holds characters that cannot be shown: write it again.")
    return {name: value for name, value in given.items() if value}


def _dotenv(path: Path) -> dict[str, str]:
    """The names and values in the file at *path*; none if there is no such file.

    A folder of that name (many virtual environments are called `.env`) is not a file. Values are
    taken as written, `${…}` included. Raises SettingsError if it is not UTF-8 text.
    """
    try:
        if not path.is_file():
            return {}
        text = path.read_text(encoding="utf-8-sig")  # Windows editors put a byte-order mark
        if "\0" in text:
            raise ValueError("a zero byte")
    except (OSError, ValueError) as error:  # bytes that are no UTF-8 are a ValueError too
        problem = f"The settings file {path} cannot be read as UTF-8 text: mend or remove it."
        raise SettingsError(problem) from error
    from dotenv import dotenv_values  # late: most runs have no such file

    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value or "" for name, value in values.items()}


def _nearest(name: str) -> str:
    """The known name most like *name*, judged by what follows the first underscore."""
    tails = {known.split("_", 1)[1]: known for known in NAMES}
    tail = name.upper().removeprefix(PREFIX)
    return tails[difflib.get_close_matches(tail, tails, n=1, cutoff=0.0)[0]]


def _key(given: Mapping[str, str], name: str) -> str | None:
    """A secret that fits in an HTTP header."""
    value = given.get(name)
    if value and not (value.isascii() and len(value.split()) == 1):
        raise SettingsError(f"{name} holds a space or a letter that no key has: copy it again.")
    return value


def _address(given: Mapping[str, str], name: str) -> str | None:
    """An http(s) address with a host."""
    value = given.get(name)
    if value and not _is_http(value):
        raise SettingsError(f"{name} is not an address: write it as http://host:port/path.")
    return value


def _is_http(value: str) -> bool:
    """Whether *value* is an http(s) address with a host and, if any, a possible port."""
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a bad port, or a bracket left open
        return False


def _path(value: Path | str, name: str) -> Path:
    """A path with `~` expanded, which a shell leaves alone in `--store=~/papers`."""
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        problem = f"{name} lies in a home folder that does not exist: write the path in full."
        raise SettingsError(problem) from error


def _yes_or_no(given: Mapping[str, str], name: str, *, otherwise: bool = False) -> bool:
    value = given.get(name, "yes" if otherwise else "no").lower()
    if value not in _YES_OR_NO:
        raise SettingsError(f"{name} is neither yes nor no: set it to 1 or 0.")
    return _YES_OR_NO[value]


def _log(given: Mapping[str, str]) -> str:
    value = given.get("PAPERCHAT_LOG", "").lower()
    if value not in {"", "json", "questions"}:
        raise SettingsError("PAPERCHAT_LOG is neither json nor questions: set one, or unset it.")
    return value


def _index(given: Mapping[str, str]) -> Way | None:
    value = given.get("PAPERCHAT_INDEX", "").lower()
    way = next((one for one in WAYS if one == value), None)
    if value and way is None:
        raise SettingsError(
            "PAPERCHAT_INDEX is none of full, windows and fast: set one, or unset it."
        )
    if way not in {None, "full"} and given.get("PAPERCHAT_EMBEDDING_MODEL", EMBEDDED) != EMBEDDED:
        raise SettingsError(
            f"PAPERCHAT_INDEX={value} is for the embedded model: unset PAPERCHAT_EMBEDDING_MODEL."
        )
    return way


def _count(given: Mapping[str, str], name: str, *, otherwise: int) -> int:
    """A whole number from 1 up."""
    value = given.get(name, str(otherwise)).replace("_", "").replace(",", "")
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value)):
        raise SettingsError(f"{name} is not a number from 1 up: write it as {otherwise}.")
    return int(value)


def _price(given: Mapping[str, str], name: str) -> tuple[float, float] | None:
    """Two amounts with a slash between them."""
    value = given.get(name)
    if value is None:
        return None
    prices = [float(part) for part in value.split("/") if _AMOUNT.fullmatch(part.strip())]
    if len(prices) != 2 or value.count("/") != 1:
        raise SettingsError(
            f"{name} is not a price: write dollars a million tokens of prompts and of answers, as"
            " 0.15/0.60."
        )
    return prices[0], prices[1]
