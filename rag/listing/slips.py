"""Words that are one slip of a letter apart."""

from __future__ import annotations


def one_slip(word: str, other: str) -> bool:
    """Whether one letter put in, left out, changed or swapped with the next makes *other*.

    >>> one_slip("recomender", "recommender"), one_slip("tabluar", "tabular"), one_slip("a", "bc")
    (True, True, False)
    """
    if abs(len(word) - len(other)) > 1 or word == other:
        return False
    pairs = enumerate(zip(word, other, strict=False))
    same = next((i for i, (a, b) in pairs if a != b), min(len(word), len(other)))
    left, right = word[same:], other[same:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[:2] == right[:2][::-1] and left[2:] == right[2:])
    )
