"""The checks of a sentence against an abstract, and the verdict they add up to."""

from __future__ import annotations

import pytest

from rag.embed import load_embedded
from rag.guard.checks import check, nearest
from rag.guard.figures import in_its_figures, same, told
from rag.text import paper_id
from rag.types import Paper
from rag.verify import judge_with

TITLE = "Kestrel: Cheap Training of Wide Models"
SENTENCES = (
    "Training wide models is costly because every device keeps a full copy of the weights.",
    "We present Kestrel, which shards weights over 64 GPUs and needs no change to the optimizer.",
    "Kestrel trains a 13 billion parameter model 2.4x faster than Osprey and cuts memory by 37.5%.",
    "On WikiText, accuracy rises to 81.2%, while on LAMBADA it falls to 64.0%.",
    "The gains grow with the number of devices, and inference is not affected.",
)
PAPER = Paper(paper_id(TITLE), TITLE, " ".join(SENTENCES), "hash")


def kinds(claim: str) -> set[str]:
    """Of which kinds the findings against *claim* are."""
    return {finding.kind for finding in check(claim, TITLE, SENTENCES)}


@pytest.mark.parametrize(
    ("claim", "kind"),
    [
        ("Kestrel cuts memory by 73.5%.", "number"),
        ("Kestrel trains a 13 million parameter model faster than Osprey.", "unit"),
        ("Accuracy rises to 64.0% on WikiText and falls to 81.2% on LAMBADA.", "swap"),
        ("Kestrel trains a 13 billion parameter model 2.4x slower than Osprey.", "direction"),
        ("The gains shrink with the number of devices.", "direction"),
        ("Osprey trains a model faster than Kestrel.", "role"),
        ("We present Kestrel, which shards weights over 64 GPUs on ImageNet21K.", "name"),
        ("The gains grow with the number of devices, and inference is affected.", "negation"),
        ("Kestrel always cuts memory.", "scope"),
    ],
)
def test_a_sentence_false_by_one_change_is_found_out(claim: str, kind: str) -> None:
    """Each kind of change is found by the check that is for it."""
    assert kind in kinds(claim)


@pytest.mark.parametrize(
    "claim",
    [
        SENTENCES[2],
        "Kestrel cuts memory by 37.5%.",
        "Memory falls by roughly 38 percent with Kestrel.",
        "Kestrel trains a 13B parameter model more than 2x faster than Osprey.",
        "Accuracy rises to 81.2% on WikiText and falls to 64% on LAMBADA.",
    ],
)
def test_a_true_sentence_in_other_figures_is_left_alone(claim: str) -> None:
    """No figure, unit or swap is held against a sentence that says the same."""
    assert not kinds(claim) & {"number", "unit", "swap", "role", "name"}


@pytest.mark.parametrize(
    ("claimed", "held", "alike"),
    [
        ("1.6B", "1,600 million", True),
        ("1,696 billion", "1,696 million", False),
        ("roughly 79%", "78.6%", True),
        ("over 42%", "42.4%", True),
        ("over 62%", "42.4%", False),
        ("up to 48x", "48x", True),
        ("2x", "2%", False),
        ("14%", "13.7%", True),
        ("9%", "9.4%", False),
        ("90 seconds", "1.5 minutes", True),
        ("8 minutes", "8 seconds", False),
        ("28 dollars", "$0.28", False),
        ("28 cents", "$0.28", True),
        ("four GPU hours", "4 hours", True),
        ("48 full hours", "48 hours", True),
        ("120 ms", "120", True),
        ("16 GB", "16 GiB", True),
        ("10 hours", "$10$ hours", True),
        ("eighteen", "seventeen", False),
        ("fifty", "53", False),
        ("one hundred and twenty-eight", "128", True),
        ("one hundred and twenty-eight", "100", False),
        ("two-and-a-half times", "2.5x", True),
        ("three quarters", "75.4%", True),
        ("nine in ten", "91.3%", True),
        ("two thirds", "75.4%", False),
        ("fewer than one in five", "16.3%", True),
        ("more than one in five", "16.3%", False),
        ("a fortieth", "40x", True),
        ("one hundredth", "two orders of magnitude", True),
        ("one tenth", "two orders of magnitude", False),
        ("twice", "2x", True),
        ("halved", "50%", True),
        ("two and a half times", "2.5x", True),
        ("about a third faster", "1.34x", True),
        ("twelve thousand", "12,288", True),
        ("half a million", "500K", True),
        ("two dozen", "24", True),
    ],
)
def test_figures_are_the_same_in_whatever_writing(claimed: str, held: str, alike: bool) -> None:
    """Scale, unit and hedge decide whether two quantities say the same, in figures or in words."""
    assert any(same(one, other) for one in told(claimed) for other in told(held)) is alike


@pytest.mark.parametrize(
    "text", ["the third stage", "a second model", "the first half", "every second", "in two steps"]
)
def test_what_only_numbers_things_is_no_quantity(text: str) -> None:
    """An ordinal is no share, and a small count measures nothing."""
    assert told(text) == ()


@pytest.mark.parametrize(
    ("claim", "retold"),
    [
        ("It cuts memory by more than a third.", "It cuts memory by 37.5%."),
        ("It cuts memory by about four tenths.", "It cuts memory by 37.5%."),
        ("It has about thirteen billion parameters.", "It has 13 billion parameters."),
        ("It cuts memory by two thirds.", "It cuts memory by two thirds."),
        ("It cuts memory by 37.5%.", "It cuts memory by 37.5%."),
        ("It cuts memory by 38%.", "It cuts memory by 37.5%."),
        ("It cuts memory by 38.2%.", "It cuts memory by 38.2%."),
        ("It trains up to three times faster.", "It trains 2.4x faster."),
        ("It trains up to 3x faster.", "It trains up to 3x faster."),
        ("On WikiText accuracy rises to eight in 10.", "On WikiText accuracy rises to 81.2%."),
        (
            "It shards half-precision weights over 64 GPUs.",
            "It shards half-precision weights over 64 GPUs.",
        ),
    ],
)
def test_a_quantity_that_an_abstract_gives_is_read_in_its_figures(claim: str, retold: str) -> None:
    """Models are shown the abstract's own figure where it says the same, and only there."""
    near = [SENTENCES[place] for place in nearest(claim, SENTENCES)]
    assert in_its_figures(claim, near) == retold


def test_a_quotation_is_supported_and_a_wrong_figure_contradicted() -> None:
    """What is quoted is borne out; a figure that the abstract gives otherwise is not."""
    judge = judge_with(load_embedded(), None)
    quoted = judge(SENTENCES[2], [PAPER])
    assert (quoted.verdict, quoted.score) == ("supported", 1.0)
    assert [span.text for span in quoted.evidence] == [SENTENCES[2]]
    wrong = judge("Kestrel cuts memory by 73.5%.", [PAPER])
    assert wrong.verdict == "contradicted"
    assert "“73.5%”" in wrong.reasons[0]
    assert all(PAPER.abstract[e.start : e.end] == e.text for e in wrong.evidence)


@pytest.mark.parametrize("claim", ["Kestrel.", "Affected.", "Change to the optimizer."])
def test_words_taken_out_of_a_sentence_are_no_quotation(claim: str) -> None:
    """A word of the abstract says nothing, and what follows "not" or "no" is not what it says."""
    said = judge_with(load_embedded(), None)(claim, [PAPER])
    assert "its words are the abstract's" not in said.reasons


def test_what_is_about_something_else_is_not_supported() -> None:
    """A sentence of which the abstract has no word is not borne out."""
    judge = judge_with(load_embedded(), None)
    said = judge("Bees find their way home by the polarisation of the sky.", [PAPER])
    assert said.verdict == "not_supported"


@pytest.mark.parametrize(
    "claim",
    [
        "Kestrel trainiert das Modell mit den gleichen Gewichten und ist schneller als Osprey.",
        "Kestrel 比 Osprey 训练得更快，并减少了内存。",
    ],
)
def test_a_sentence_in_another_language_is_unverified(claim: str) -> None:
    """The check reads English; of anything else it says that it did not check."""
    assert judge_with(load_embedded(), None)(claim, [PAPER]).verdict == "unverified"


def test_a_greek_letter_makes_no_other_language() -> None:
    """A formula in an English sentence is checked with it."""
    said = judge_with(load_embedded(), None)("Kestrel cuts memory by 73.5% at ε = 2.", [PAPER])
    assert said.verdict == "contradicted"


def test_without_a_paper_nothing_is_supported() -> None:
    """A check that cannot run says unverified."""
    assert judge_with(load_embedded(), None)("Kestrel is fast.", []).verdict == "unverified"
