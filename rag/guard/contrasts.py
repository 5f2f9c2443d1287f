"""Words that exclude one another in the same place: more and less, training and inference.

An axis has two values or more; a word or short phrase stands for one value of an axis. The table
is of general academic English, and names no paper's things.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.guard.tokens import Token, tokens

# axis: one line for each value; a comma ends a word or phrase
_TABLE: dict[str, tuple[str, ...]] = {
    "amount": (
        "more, higher, larger, greater, bigger, increase, raise, rise, grow, growth, boost,"
        " enlarge,"
        " widen, expand, amplify, upward, wider, broader, longer, deeper, gain, elevate, scale up,"
        " strengthen, stronger, heavier, additional, extra, inflate, overestimate, maximize",
        "less, fewer, lower, smaller, reduce, reduction, decrease, drop, decline, shrink, cut,"
        " diminish, narrow, lessen, attenuate, downward, narrower, shorter, shallower, weaken,"
        " weaker, lighter, save, saving, alleviate, mitigate, minimize, underestimate, deflate,"
        " suppress, slash, fall",
    ),
    "quality": (
        "better, improve, improvement, outperform, surpass, beat, exceed, superior, enhance, excel,"
        " outdo, benefit, help, best, advance, ahead, overtake, win, strengthen, stronger",
        "worse, worsen, degrade, degradation, underperform, trail, lag, fall short, inferior, harm,"
        " hurt, lose, loses to, worst, deteriorate, behind, impair, damage, short of, weaken,"
        " weaker, poorer, harmful, hinder, struggle, beaten by, outperformed by, surpassed by",
    ),
    "size": (
        "large, high, strong, many, much, considerable, substantial, big, significant, major,"
        " extensive, abundant, plentiful, heavy, huge, great, strongly, highly, substantially,"
        " significantly, considerably, greatly, severe, severely, rich, markedly, dramatically,"
        " sharply, plenty, vast, massive, widely, pivotal, critical",
        "small, low, weak, few, little, minor, negligible, slight, marginal, limited, scarce,"
        " sparse,"
        " weakly, hardly, barely, slightly, marginally, insignificant, insignificantly, tiny,"
        " light,"
        " minimal, modest, poor, rarely, lightweight, minimally, scarcely",
    ),
    "ease": (
        "easy, easier, simple, simpler, easily, simplify, effortless",
        "hard, harder, difficult, complex, tough, difficulty, challenging, complicate",
    ),
    "speed": ("fast, faster, quick, quicker, speed up, accelerate, rapid, speedup, speed",
              "slow, slower, slow down, sluggish, slowly, slowdown"),
    "cost": ("cheap, cheaper, inexpensive, low cost, affordable",
             "costly, costlier, expensive, high cost"),
    "age": ("new, newer, recent, modern, latest", "old, older, earlier, outdated, classic"),
    "time": ("before, beforehand, prior to", "after, afterwards, following"),
    "early": ("early, earlier, first, initial, start, beginning", "late, later, last, final, end"),
    "level": ("above, over, exceed, at least", "below, under, at most"),
    "place": ("upper, top", "lower, bottom"),
    "inside": ("inside, within, in domain, inner, internal",
        "outside, out of domain, outer, external"),
    "well": ("well, good, reliable, reliably, accurately, effective, effectively, robust, sound,"
             " adequate, competitive, capable, succeed, manage, success",
             "poorly, bad, unreliable, badly, ineffective, fragile, inadequate, fail, failure,"
             " unable, useless, vulnerable, sensitive, brittle"),
    "presence": ("include, keep, preserve, retain, contain, maintain, with",
                 "exclude, drop, discard, remove, ignore, omit, lack, avoid, without, free of"),
    "agreement": ("agree, same, alike, similar, match, consistent, coincide, identical,"
        " consistently",
                  "disagree, different, differ, differently, dissimilar, mismatch, inconsistent,"
                  " diverge, distinct, contrary"),
    "confirm": ("confirm, support, prove, supports", "refute, contradict, doubt, cast doubt"),
    "need": ("require, need, depend, rely, necessary, dependent, demand",
             "independent, eliminate the need, regardless, unnecessary, irrespective"),
    "jointly": ("jointly, together, simultaneously, joint, combined, shared",
                "separately, individually, independently, separate, isolation"),
    "manual": ("manual, manually, by hand, hand crafted, human, handcrafted, human written",
               "automatic, automatically, automated, synthetic, machine generated"),
    "reality": ("real, real world, physical", "simulated, synthetic, artificial, simulation"),
    "frequency": ("often, frequently, common, always, usually, frequent",
        "rare, never, seldom, rarer"),
    "phase": ("training, train, pretraining", "inference, test time, testing, deployment, runtime"),
    "openness": ("open, open source, public, publicly",
        "closed, proprietary, private, closed source"),
    "reach": ("global, globally", "local, locally"),
    "explicit": ("explicit, explicitly", "implicit, implicitly"),
    "sign": ("positive, positively", "negative, negatively"),
    "supervision": ("supervised", "unsupervised, self supervised"),
    "labels": ("labelled, labeled, annotated", "unlabelled, unlabeled, unannotated, raw"),
    "shots": ("zero shot", "few shot", "many shot"),
    "precision": ("recall", "precision"),
    "teacher": ("teacher", "student"),
    "side": ("encoder", "decoder"),
    "source": ("source", "target"),
    "static": ("static, statically, fixed", "dynamic, dynamically, adaptive"),
    "online": ("online, on the fly, streaming", "offline, in advance"),
    "line": ("linear, linearly", "nonlinear, quadratic, non linear, polynomial, exponential"),
    "density": ("dense, densely", "sparse, sparsely"),
    "discrete": ("discrete", "continuous"),
    "sync": ("synchronous", "asynchronous"),
    "symmetry": ("symmetric", "asymmetric"),
    "structure": ("structured", "unstructured"),
    "modality": ("text, textual", "image, visual, vision", "audio, speech", "video"),
    "lingual": ("monolingual", "multilingual", "bilingual"),
    "unit": ("word, token", "sentence", "document", "paragraph"),
    "task type": ("classification", "regression", "generation"),
    "written": ("written", "spoken"),
    "autoregressive": ("autoregressive", "nonautoregressive, non autoregressive"),
    "stochastic": ("deterministic", "stochastic, probabilistic, random"),
    "convex": ("convex", "nonconvex, non convex"),
    "flat": ("flat", "nested, hierarchical"),
    "whole": ("all, every, each, entire, whole, fully, always, complete, completely, any, both,"
              " universally",
              "some, most, certain, part, partly, partially, several, half, only some, one of,"
              " majority, many"),
    "enough": ("all, every, each, most, majority, any, both", "none, no, neither, few, minority"),
    "order": ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"),
}  # fmt: skip

QUANTIFIERS = frozenset({"whole", "enough"})
COMPARING = frozenset({"amount", "quality", "speed", "ease", "cost"})
_LONGEST = 3


@dataclass(frozen=True, slots=True)
class Contrast:
    """Tokens `start` to before `end` of a text that stand for a value of an axis."""

    axis: str
    value: int
    start: int
    end: int


def _compiled() -> dict[tuple[str, ...], tuple[tuple[str, int], ...]]:
    found: dict[tuple[str, ...], list[tuple[str, int]]] = {}
    for axis, values in _TABLE.items():
        for number, words in enumerate(values):
            for phrase in words.split(","):
                key = tuple(token.stem for token in tokens(phrase.strip()))
                if (axis, number) not in found.setdefault(key, []):
                    found[key].append((axis, number))
    return {key: tuple(pairs) for key, pairs in found.items()}


_PHRASES = _compiled()
# A stem that two words of opposite values share cannot tell them apart.
_PHRASES = {
    key: tuple(pair for pair in pairs if sum(axis == pair[0] for axis, _ in pairs) == 1)
    for key, pairs in _PHRASES.items()
}


@lru_cache(maxsize=8192)
def contrasts(read: tuple[Token, ...]) -> tuple[Contrast, ...]:
    """The values that *read* stands for, longest phrases first at each place, in order."""
    found: list[Contrast] = []
    covered = 0
    for start in range(len(read)):
        for length in range(min(_LONGEST, len(read) - start), 0, -1):
            key = tuple(token.stem for token in read[start : start + length])
            pairs = _PHRASES.get(key)
            if pairs and start + length > covered:
                found.extend(Contrast(axis, value, start, start + length) for axis, value in pairs)
                covered = start + length
                break
    return tuple(found)


@lru_cache(maxsize=8192)
def concepts(read: tuple[Token, ...]) -> tuple[str, ...]:
    """A name for each token under which paraphrases agree: its comparing value, else its stem."""
    named = [token.stem for token in read]
    for one in contrasts(read):
        if one.axis in COMPARING:
            for place in range(one.start, one.end):
                named[place] = f"{one.axis}{one.value}"
    return tuple(named)


def is_two_valued(axis: str) -> bool:
    """Whether what is not one value of *axis* is the other."""
    return len(_TABLE[axis]) == 2


def opposed_values(read: Sequence[Contrast]) -> dict[str, set[int]]:
    """The values of each axis that a text speaks of."""
    said: dict[str, set[int]] = {}
    for one in read:
        said.setdefault(one.axis, set()).add(one.value)
    return said
