"""Numbers with what they measure, in whatever writing."""

from __future__ import annotations

import pytest

from rag.listing.quantities import quantities


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("trained on 1.3T tokens", "tokens", 1.3e12, 1.3e12),
        ("more than a trillion tokens", "tokens", 1e12, 1e12),
        ("up to 18 trillion tokens", "tokens", 18e12, 18e12),
        ("1,696 billion text tokens", "tokens", 1696e9, 1696e9),
        ("0.31TB tokens", "tokens", 0.31e12, 0.31e12),
        ("a 540-billion parameter model", "parameters", 540e9, 540e9),
        ("from 650M to 34B parameters", "parameters", 650e6, 34e9),
        ("3 to 34 billion parameters", "parameters", 3e9, 34e9),
        ("10-100 Billion Parameter Transformers", "parameters", 10e9, 100e9),
        ("a 7B model", "parameters", 7e9, 7e9),
        ("on 12,288 GPUs", "accelerators", 12288, 12288),
        ("on 1024 and 3072 MI250X GPUs", "accelerators", 1024, 3072),
        ("6144 TPU v4 chips", "accelerators", 6144, 6144),
        ("on a single A100 GPU", "accelerators", 1, 1),
        ("5.3x to 15.2x faster", "speed", 5.3, 15.2),
        ("48times faster checkpointing", "speed", 48, 48),
        ("1.53times~20.57times throughput improvement", "speed", 1.53, 20.57),
        ("ten-fold throughput", "speed", 10, 10),
        ("an order of magnitude in speed", "speed", 10, 10),
        ("faster by orders of magnitude", "speed", 100, 100),
        ("speeds up model switching by 15x to 31x", "speed", 15, 31),
        ("40x larger hidden sizes", "factor", 40, 40),
        ("10x less memory", "factor", 10, 10),
        ("28 cents per trajectory", "money", 28, 28),
        ("a budget of just 187", "money", 187, 187),
        ("Train It with $100K Budget", "money", 100_000, 100_000),
        ("approximately 2300 USD", "money", 2300, 2300),
        ("a context length of 128K", "context", 128_000, 128_000),
        ("inputs up to 100,000 tokens", "context", 100_000, 100_000),
        ("reduces cost by 88.7%", "percent", 88.7, 88.7),
        ("one million NVIDIA H800 GPU hours", "time", 1e6, 1e6),
        ("116 programming languages", "count", 116, 116),
    ],
)
def test_a_number_is_read_with_its_unit(text, kind, low, high):
    """The kind says what is measured, the range is in units of one."""
    assert (kind, pytest.approx(low), pytest.approx(high)) in [
        (found.kind, found.low, found.high) for found in quantities(text)
    ]


@pytest.mark.parametrize(
    "text",
    ["GPT-3.5 and Llama 2", "an RTX 4090 GPU", "a parameter", "S4 and T5"],
)
def test_numbers_of_names_measure_nothing(text):
    """A version, a card's name and a rank are no amounts."""
    assert quantities(text) == ()


def test_a_size_beside_a_name_belongs_to_that_name():
    """So that sizes of models which are only compared with can be told apart."""
    named = {text: quantities(text)[0].named for text in ("PaLM-540B", "175B GPT-3", "a 7B LLM")}
    assert named == {"PaLM-540B": True, "175B GPT-3": True, "a 7B LLM": False}


def test_a_counted_noun_is_the_one_in_the_plural():
    """Fourteen language models are models, not languages."""
    assert quantities("14 language models")[0].nouns == ("model",)


def test_the_span_is_that_of_the_amount():
    """From the first digit to the end of the unit."""
    text = "We used 512 V100 GPUs then."
    found = quantities(text)[0]
    assert text[found.start : found.end] == "512 V100 GPUs"
