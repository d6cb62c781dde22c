from __future__ import annotations

from dataclasses import replace

from automl.report import _words
from automl.report._view import View, look_at
from evaluators import Objective, Trial, TrialState
from tests.automl.report.studies import FLOPS, NE, baselines, failed, measured, own


def seen(*trials: Trial) -> View:
    return look_at(trials, [NE, FLOPS])


def test_the_verdict_compares_with_the_control() -> None:
    assert _words.verdict(seen(*baselines(), measured(9, 0.9, 4.7e5))) == (
        "Trial 9 reaches NE 0.90000 at 470 k FLOPs: 0.00490 (0.54 %) better than the control, "
        "DCNv2 (0.90490 at 940 k FLOPs)."
    )


def test_the_verdict_admits_a_loss() -> None:
    assert "0.00510 (0.56 %) worse than the control, DCNv2" in _words.verdict(
        seen(*baselines(), measured(9, 0.91, 4.7e5))
    )


def test_a_larger_auc_is_called_better() -> None:
    view = look_at([*baselines(), measured(9, 0.9, 4.7e5)], [Objective("auc"), FLOPS])
    assert "better than the control" in _words.verdict(view)


def test_the_verdict_names_a_tie() -> None:
    assert "the same as the control, DCNv2" in _words.verdict(seen(*baselines(), measured(9, 0.9049, 1e5)))


def test_the_verdict_says_what_is_missing() -> None:
    assert _words.verdict(seen()) == "No trial has finished yet."
    assert _words.verdict(seen(failed(0))) == "None of the 1 finished trials is complete and keeps every bound."
    assert "no baseline to compare with" in _words.verdict(seen(measured(0, 0.9, 1e5)))


def test_the_reminder_comes_with_every_winner() -> None:
    assert "One training seed" in _words.reminder(seen(measured(0, 0.9, 1e5)))
    assert _words.reminder(seen()) == ""


def test_the_cheapest_trial_at_the_controls_quality_has_a_card() -> None:
    view = seen(*baselines(), measured(9, 0.9, 4.7e5), measured(10, 0.904, 9.4e4), measured(11, 0.92, 100.0))
    card = next(card for card in _words.cards(view) if card.title == "FLOPs at the control's NE")
    assert card == _words.Card(card.title, "94.0 k", "trial 10, 0.10 times the control's", True)


def test_the_gain_is_in_percent_of_the_control_and_positive_where_better() -> None:
    card = _words.cards(seen(*baselines(), measured(9, 0.9, 4.7e5)))[1]
    assert (card.title, card.value, card.remark) == (
        "Gain over the control",
        "+0.54 %",
        "\N{MINUS SIGN}0.00490 against DCNv2",
    )
    assert card.is_good


def test_the_users_own_baseline_is_the_control_of_verdict_and_gains() -> None:
    view = seen(*baselines(), own(ne=0.93), measured(9, 0.9, 4.7e5))
    assert "better than the control, your baseline (0.93000 at 200 k FLOPs)." in _words.verdict(view)
    assert _words.control_sentence(view) == (
        "Gains are over the control, your baseline: your own model, trained once (trial 5, NE ± 0.00110), so that a "
        "small gain may be noise."
    )


def test_without_one_of_the_users_the_best_human_made_baseline_is_named() -> None:
    assert "the control, DCNv2: the best human-made baseline by NE, trained once (trial 4, NE ± 0.00110)" in (
        _words.control_sentence(seen(*baselines()))
    )
    assert _words.control_sentence(seen(measured(9, 0.9, 1e5))) == ""


def test_a_baseline_that_failed_or_waits_gives_no_gain_and_says_so() -> None:
    broken = replace(failed(5), stage="baseline", suggestion=own().suggestion)
    verdict = _words.verdict(seen(*baselines(), broken, measured(9, 0.9, 1e5)))
    assert verdict.endswith(
        "There is no gain to tell, as the control, your baseline, has failed: the loss was not finite after 512 rows."
    )
    waiting = replace(own(), state=TrialState.WAITING, evaluation=None)
    assert _words.verdict(seen(waiting, measured(9, 0.9, 1e5))).endswith("your baseline, has not been measured.")


def test_the_ledger_says_the_price_of_a_gain_and_what_is_unknown() -> None:
    price, *unknown = _words.ledger_sentences(seen(*baselines(), measured(9, 0.9, 4e5), failed(10)))
    assert price == ("Each 0.01 % of ne gained has cost 0.1016 seconds, 1459 rows of search: 0.54 % at trial 9.")
    assert unknown == [
        "The rows of 1 finished trial are not known and not in the sums.",
        "No energy is known: the device tells none, or not to this user.",
    ]


def test_a_human_made_baseline_that_beats_the_winner_is_not_hidden_by_a_gain() -> None:
    verdict = _words.verdict(seen(*baselines(), own(ne=0.93), measured(9, 0.92, 4.7e5)))
    assert verdict.endswith(
        "better than the control, your baseline (0.93000 at 200 k FLOPs). A human-made baseline is better still: DCNv2 "
        "(0.90490 at 940 k FLOPs)."
    )
    assert "better still" not in _words.verdict(seen(*baselines(), own(ne=0.93), measured(9, 0.9, 4.7e5)))
    assert "better still" not in _words.verdict(seen(*baselines(), measured(9, 0.92, 4.7e5)))
