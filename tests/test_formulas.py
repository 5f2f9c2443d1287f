"""Formulas in texts: their bare signs, and the dollars that are none of theirs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.listing.bounds import amount_asked
from rag.listing.formulas import plain_formulas
from rag.listing.quantities import quantities
from rag.listing.terms import find


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("of dimension $72$", "of dimension 72"),
        (r"on $10-20$\% of $\mathcal{M}_k$", r"on 10-20\% of Mk"),
        (r"$$\varphi_n$$ and $ x $", r"\varphi n and  x "),
        ("$20 or $30, $5M/$10M", "$20 or $30, $5M/$10M"),
        (r"$1,000 for $n$ and \$100", r"$1,000 for n and \$100"),
        ("match (a+)+$ or snake_case", "match (a+)+$ or snake_case"),
    ],
)
def test_a_formula_loses_its_marks_and_money_keeps_them(written, bare):
    """What one dollar opens and another closes is a formula."""
    assert plain_formulas(written) == bare


@given(st.text(alphabet="$\\^_{}* aZ5.,-", max_size=40))
def test_any_text_is_read(text):
    """However broken, and nothing is left to do."""
    assert len(plain_formulas(text)) <= len(text) + text.count("\\")


def test_only_dollars_outside_of_formulas_are_money():
    """Dimension 72 costs nothing."""
    text = plain_formulas("For $72$ groups at least $0.3667$ times, at a price of $15.")
    assert [one.low for one in quantities(text) if one.kind == "money"] == [15]


@pytest.mark.parametrize("asked", ["mention (a+)+$", "mention C*-algebras", r"mention \varphi"])
def test_a_sign_in_a_name_asks_for_no_amount(asked):
    """It belongs to what is looked for."""
    assert amount_asked(asked, asked) is None


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("C*-algebras", "the graph $C^*$-Algebra"),
        ("CO2", "less CO$_2$"),
        ("O(n2)", "in $O(n^{2})$ time"),
        (r"\varphi", r"a map $\varphi$"),
    ],
)
def test_a_name_is_found_in_tex(asked, text):
    """As people write it without."""
    assert find(asked, plain_formulas(text))
