from __future__ import annotations

from automl.report import _words
from automl.report._view import View, look_at
from evaluators import Objective, Trial
from tests.automl.report.studies import FLOPS, NE, baselines, failed, measured


def seen(*trials: Trial) -> View:
    return look_at(trials, [NE, FLOPS])


def test_the_verdict_compares_with_the_best_baseline() -> None:
    assert _words.verdict(seen(*baselines(), measured(9, 0.9, 4.7e5))) == (
        "Trial 9 reaches NE 0.90000 at 470 k FLOPs: 0.00490 (0.54 %) better than the best baseline, "
        "DCNv2 (0.90490 at 940 k FLOPs)."
    )


def test_the_verdict_admits_a_loss() -> None:
    assert "0.00510 (0.56 %) worse than the best baseline, DCNv2" in _words.verdict(
        seen(*baselines(), measured(9, 0.91, 4.7e5))
    )


def test_a_larger_auc_is_called_better() -> None:
    view = look_at([*baselines(), measured(9, 0.9, 4.7e5)], [Objective("auc"), FLOPS])
    assert "better than the best baseline" in _words.verdict(view)


def test_the_verdict_names_a_tie() -> None:
    assert "the same as the best baseline, DCNv2" in _words.verdict(seen(*baselines(), measured(9, 0.9049, 1e5)))


def test_the_verdict_says_what_is_missing() -> None:
    assert _words.verdict(seen()) == "No trial has finished yet."
    assert _words.verdict(seen(failed(0))) == "None of the 1 finished trials is complete and keeps every bound."
    assert "no baseline to compare with" in _words.verdict(seen(measured(0, 0.9, 1e5)))


def test_the_reminder_comes_with_every_winner() -> None:
    assert "One training seed" in _words.reminder(seen(measured(0, 0.9, 1e5)))
    assert _words.reminder(seen()) == ""


def test_the_cheapest_trial_at_baseline_quality_has_a_card() -> None:
    view = seen(*baselines(), measured(9, 0.9, 4.7e5), measured(10, 0.904, 9.4e4), measured(11, 0.92, 100.0))
    card = next(card for card in _words.cards(view) if card.title == "FLOPs at baseline NE")
    assert card == _words.Card(card.title, "94.0 k", "trial 10, 0.10 times the best baseline's", True)


def test_the_relative_difference_is_in_percent_of_the_baseline() -> None:
    card = _words.cards(seen(*baselines(), measured(9, 0.9, 4.7e5)))[1]
    assert card.value == "\N{MINUS SIGN}0.54 %"
    assert card.is_good
