"""The first tables: studies, their trials, and how far each reader has seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("uid", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("seed", sa.Text, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("config", sa.Text, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.UniqueConstraint("uid", name="uq_studies_uid"),
        sa.UniqueConstraint("name", name="uq_studies_name"),
    )
    op.create_table("trials", *_trial_columns())
    op.create_index("ix_trials_state", "trials", ["study_id", "state", "number"])
    op.create_index("ix_trials_ask", "trials", ["study_id", "stage", "ask_number"])
    op.create_table(
        "cursors",
        sa.Column("study_id", sa.Integer, sa.ForeignKey("studies.id", name="fk_cursors_study"), primary_key=True),
        sa.Column("reader", sa.Text, primary_key=True),
        sa.Column("finish_order", sa.Integer, nullable=False),
    )


def _trial_columns() -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("study_id", sa.Integer, sa.ForeignKey("studies.id", name="fk_trials_study"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("ask_number", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("rung", sa.Integer, nullable=False),
        sa.Column("replicate", sa.Integer, nullable=False),
        sa.Column("suggestion", sa.Text, nullable=False),
        sa.Column("evaluation", sa.Text),
        sa.Column("failure_kind", sa.Text),
        sa.Column("failure_reason", sa.Text),
        sa.Column("failure_seconds", sa.Double),
        sa.Column("finish_order", sa.Integer),
        sa.Column("started_at", sa.Double),
        sa.Column("finished_at", sa.Double),
        sa.Column("worker", sa.Text),
        sa.Column("lease_until", sa.Double),
        sa.UniqueConstraint("study_id", "finish_order", name="uq_trials_finish_order"),
    )
