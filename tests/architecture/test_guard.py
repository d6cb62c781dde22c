from __future__ import annotations

from pathlib import Path

from automl._guard import PACKAGES, strangers

HOME = Path("site-packages")
FOLDERS: dict[str, Path | None] = dict.fromkeys(PACKAGES, HOME)


def test_our_own_claims_are_fine() -> None:
    assert strangers({name: ["ctr-automl"] for name in PACKAGES}, FOLDERS) == []


def test_another_distribution_is_named() -> None:
    found = strangers({"storage": ["ctr_automl", "storage"]}, FOLDERS)
    assert found == ["the distribution 'storage' also installs a package named 'storage'"]


def test_a_package_from_elsewhere_is_named() -> None:
    found = strangers({}, {**FOLDERS, "storage": Path("elsewhere")})
    assert found == ["'storage' is loaded from elsewhere, not from site-packages"]
