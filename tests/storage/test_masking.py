"""No password and no token is ever shown."""

from __future__ import annotations

import pytest

from storage import masked


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("sqlite:///automl.db", "sqlite:///automl.db"),
        ("sqlite:////home/a@b/automl.db?timeout=5", "sqlite:////home/a@b/automl.db?timeout=5"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql+psycopg://ann:secret@host:5432/db", "postgresql+psycopg://ann:***@host:5432/db"),
        ("postgresql://ann:se:c/r@et@host/db", "postgresql://ann:***@host/db"),
        ("postgresql://ann@host/db?password=secret&timeout=5", "postgresql://ann@host/db?password=***&timeout=5"),
        ("https://ann:secret@mlflow.example/path", "https://ann:***@mlflow.example/path"),
        ("https://secret@mlflow.example/a@b", "https://***@mlflow.example/a@b"),
        ("cannot reach git+https://secret@host now", "cannot reach git+https://***@host now"),
        ("postgresql+psycopg://ann@host/db", "postgresql+psycopg://ann@host/db"),
        ("sqlite:///a@b/automl.db", "sqlite:///a@b/automl.db"),
        ("sqlite:///file:/home/a@b/automl.db?mode=ro&uri=true", "sqlite:///file:/home/a@b/automl.db?mode=ro&uri=true"),
        ("https://mlflow.example/a@b?user=c@d", "https://mlflow.example/a@b?user=c@d"),
        ("cannot reach http://a:secret@host now", "cannot reach http://a:***@host now"),
    ],
)
def test_passwords_are_hidden_and_nothing_else(url: str, shown: str) -> None:
    assert masked(url) == shown
    assert "secret" not in masked(url)
