"""Pure text functions: folding, normalised titles, hashes, words and names.

Everything that compares text goes through `fold` first, so that full-width letters, zero-width
characters, soft hyphens, combining marks and look-alike Cyrillic or Greek letters inside a Latin
word cannot hide a paper from a search.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_INVISIBLE = dict.fromkeys(
    [
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
    ]
)
_QUOTES = str.maketrans(
    {
        "‘": "'", "’": "'", "‚": "'", "‛": "'", "′": "'", "`": "'",
        "“": '"', "”": '"', "„": '"', "‟": '"', "«": '"', "»": '"',
        "‐": "-", "‑": "-", "‒": "-", "–": "-", "—": "-", "―": "-", "−": "-", "﹣": "-",
        "×": "x", "⁄": "/",
    }
)  # fmt: skip
# Letters that look Latin: Unicode's confusables (UTS 39) for Cyrillic and Greek, by shape.
_LOOK_ALIKE = str.maketrans(
    "АВЕЅІЈКМНОРСТХУZаеѕіјорсухԁԛԝһӏᴦΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρ",
    "ABESIJKMHOPCTXYZaesijopcyxdqwhlrABEZHIKMNOPTYXovp",
)
_LATIN = re.compile(r"[A-Za-z]")
_LETTERS = re.compile(r"[^\W\d_]+")
_SPACE = re.compile(r"\s+")
# Half of a surrogate pair is no character: no library takes it, and JSON and arguments carry it.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def fold(text: str) -> str:
    r"""Make equal-looking texts equal, keeping case and line breaks' worth of spaces.

    Compatibility forms are unified (NFKC), invisible characters and combining marks removed,
    quotes and dashes made plain, look-alike letters made Latin where a word mixes alphabets.
    Scripts written without Latin letters (Russian, Greek, Chinese, …) stay as they are.

    >>> fold("ＺｅＲＯ\u200b++ “naïve”")
    'ZeRO++ "naive"'
    >>> fold("Spl\u200bit\u00adwise")
    'Splitwise'
    """
    text = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).translate(_INVISIBLE)
    text = _CONTROL.sub(" ", text).translate(_QUOTES)
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _LETTERS.sub(_unmix, _strip_marks(text)))


def _strip_marks(text: str) -> str:
    """Drop combining marks on Latin letters (é → e) and marks stacked on nothing."""
    out: list[str] = []
    base_is_latin = True
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) in {"Mn", "Me"}:
            if base_is_latin:
                continue
        else:
            base_is_latin = char.isascii() or "LATIN" in unicodedata.name(char, "")
        out.append(char)
    return "".join(out)


def _unmix(match: re.Match[str]) -> str:
    """Make a word Latin if it mixes Latin letters with look-alikes."""
    word = match[0]
    return word.translate(_LOOK_ALIKE) if _LATIN.search(word) and not word.isascii() else word


def squeeze(text: str) -> str:
    """Make every run of white space one space, and trim the ends."""
    return _SPACE.sub(" ", text).strip()


def normalised_title(title: str) -> str:
    """The form under which two spellings of a title are the same paper.

    >>> normalised_title("ZeRO++:  Extremely Efficient.")
    'zero++: extremely efficient'
    """
    return squeeze(fold(title)).casefold().rstrip(". ")


def digest(*parts: str) -> str:
    """Sixteen hex digits of the SHA-256 over *parts*, kept apart so that no two lists collide."""
    escaped = (part.replace("\x1e", "\x1e\x1e").replace("\x1f", "\x1e.") for part in parts)
    joined = "\x1f".join(escaped).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:16]


def paper_id(title: str) -> str:
    """The stable id of the paper with this title."""
    return digest(normalised_title(title))
