"""Whether a sentence states an amount, and of whose work."""

from __future__ import annotations

import pytest

from rag.listing.criteria import Amount
from rag.listing.states import states

TRILLION = Amount("tokens", low=1e12, above=True, training=True)
THOUSAND = Amount("accelerators", low=1000)
SMALL = Amount("parameters", high=4e9, below=True)


@pytest.mark.parametrize(
    ("amount", "sentence", "holds"),
    [
        (TRILLION, "We train it on over 1T tokens.", True),
        (TRILLION, "We train it on 1T tokens.", False),
        (TRILLION, "The datastore holds 1.4 trillion tokens.", False),
        (TRILLION, "Future models are expected to be trained with 100T tokens.", False),
        (THOUSAND, "It reaches 55% MFU on 12,288 GPUs.", True),
        (THOUSAND, "Training typically requires 2,000 GPUs.", False),
        (THOUSAND, "It took one million GPU hours.", False),
        (SMALL, "We release a model with 2B parameters.", True),
        (SMALL, "It outperforms Qwen-VL-1.8B.", False),
        (SMALL, "We study billion-parameter models.", False),
        (Amount("speed", low=10, own=False), "It is 5.3x to 15.2x faster.", True),
        (Amount("speed", low=10, own=False), "It needs 19x less memory.", False),
        (Amount("percent", low=50, about=("memori",)), "It cuts memory by 60%.", True),
        (Amount("percent", low=50, about=("memori",)), "It reaches an accuracy of 60%.", False),
    ],
)
def test_an_amount_is_stated_in_bounds_and_of_its_own(amount, sentence, holds):
    """What is usual, foreseen, compared with or of something else does not count."""
    assert states(amount, sentence, "A Title") == holds
