"""What counts as a literal mention, and what does not."""

from __future__ import annotations

import pytest

from rag.listing.terms import acronym_of, canonical, find, find_any, is_name, spelled_out


@pytest.mark.parametrize(
    ("name", "in_", "not_in"),
    [
        ("GPT-3", "175B GPT-3, GPT3 or GPT 3", "GPT-3.5, GPT-30 and ChatGPT-3x"),
        ("GPT-4", "GPT-4-Turbo", "GPT-4o"),
        ("T5", "Flan-T5 and T5-base", "CodeT5, mT5, T50"),
        ("MATH", "on MATH-500", "math and Math-Hard"),
        ("Llama 3.1", "Llama-3.1-8B-Instruct", "Llama 3 and Llama 3.12"),
        ("Llama 3.1", "the LLaMa 3, 3.1 and Qwen 2 families", "the LLaMa 3 and 2 families"),
        ("LLaMA", "LLaMA2 and Llama-3-8B", "CodeLlamas"),
        ("ImageNet", "ImageNet-1K", "Tinyimagenets"),
        ("SWE-bench", "SWE-Bench Verified", "SWE-benches-like"),
        ("BERT", "BERT-base", "RoBERTa and DistilBERT"),
        ("C++", "in C++ or Rust", "in C or C#"),
        ("LLMs", "an LLM", "an MLLM"),
    ],
)
def test_a_name_is_matched_as_a_name(name, in_, not_in):
    """Whole, in any of its spellings, with its version and none other."""
    assert find(name, in_)
    assert not find(name, not_in)


@pytest.mark.parametrize(
    ("words", "in_", "not_in"),
    [
        ("emergent ability", "emergent abilities", "emergent features"),
        ("fine-tuning", "finetuning, fine tuned", "fine violins, tuned"),
        ("state space model", "State-space models", "state models of space"),
        ("optimisation", "optimizations", "opinion"),
        ("modelling", "modeling", "molding"),
        ("knowledge distillation", "Knowledge Distillation", "distilling knowledge"),
    ],
)
def test_words_are_matched_by_their_stems(words, in_, not_in):
    """In a row, in any number, hyphenated, joined or apart, British or American."""
    assert find(words, in_)
    assert not find(words, not_in)


def test_exact_words_are_not_inflected():
    """Who asks for a word in quotation marks wants that word; its plural is still it."""
    assert find("scaling", "Scaling laws", "exact")
    assert not find("scaling", "models at scale", "exact")
    assert find("agent", "two agents", "exact")


def test_longer_names_can_be_masked():
    """A name inside of another that does not count is not a mention of it."""
    assert find_any(["Mamba"], "Mamba-2 and Mamba", ["Mamba-2"]) == ((12, 17),)


def test_spans_are_those_of_the_text():
    """What is found is where it is said to be."""
    text = "With Low-Rank Adaptation (LoRA) and LoRAs."
    assert [text[a:b] for a, b in find("LoRA", text)] == ["LoRA", "LoRAs"]


@pytest.mark.parametrize(
    ("acronym", "phrase"),
    [
        ("PPO", "Proximal Policy Optimization"),
        ("MoE", "Mixture of Experts"),
        ("ViT", "Vision Transformer"),
        ("LoRA", "Low-Rank Adaptation"),
    ],
)
def test_acronyms_and_what_they_stand_for_are_read_from_brackets(acronym, phrase):
    """Either leads to the other where a text introduces them together, and only there."""
    text = f"We use {phrase} ({acronym}), which"

    assert acronym_of(phrase, text) == (acronym,)
    assert [canonical(word) for word in spelled_out(acronym, text)] == [canonical(phrase)]
    assert acronym_of(phrase, f"{phrase} (see {acronym})") == ()


def test_what_is_a_name():
    """Marked by capitals, digits or signs, or followed by a version; ordinary words are none."""
    assert all(map(is_name, ("T5", "MegaScale", "Llama 3", "ZeRO++", "MATH")))
    assert not any(map(is_name, ("claude", "human evaluation", "Multi-Step", "7B")))
