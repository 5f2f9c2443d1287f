"""What the product adds to a language model's time."""

from __future__ import annotations

from eval import overhead
from eval.overhead import Asked, measure, report


def test_product_and_bare_client_are_asked_the_same(seed_store, scripted_server, monkeypatch):
    """Both hear the same answer; words come before the first sentence, and that before the end."""
    monkeypatch.setattr(overhead, "TOKENS", 60)
    monkeypatch.setattr(overhead, "A_SECOND", 400)

    ((ours, its),) = measure(seed_store, runs=1)

    assert 0 < ours.prompt < ours.first <= ours.sentence <= ours.whole
    assert 0 < its.first < its.sentence <= its.whole


def test_the_report_says_what_is_met():
    """The search before the prompt counts for the whole answer, not for the same prompt."""
    ours, its = Asked(0.1, 0.16, 1.2, 6.2), Asked(0.0, 0.02, 1.0, 6.0)

    said = report([(ours, its)], (0.5, 0.5))

    assert "40 ms later | 50 ms | met" in said
    assert "3.3 % later | 5 % | met" in said
    assert "140 ms later" in said
    assert "50 ms | missed" in report([(Asked(0.1, 0.2, 1.2, 6.5), its)], (0.5, 0.5))
