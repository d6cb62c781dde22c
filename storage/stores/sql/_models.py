"""Tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

STUDIES = Table(
    "studies",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("uid", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("seed", Text, nullable=False),  # text: a seed may be larger than 64 bits
    Column("problem", Text, nullable=False),
    Column("config", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    UniqueConstraint("uid", name="uq_studies_uid"),
    UniqueConstraint("name", name="uq_studies_name"),
)

TRIALS = Table(
    "trials",
    METADATA,
    Column("study_id", Integer, ForeignKey("studies.id", name="fk_trials_study"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("ask_number", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("rung", Integer, nullable=False),
    Column("replicate", Integer, nullable=False),
    Column("suggestion", Text, nullable=False),
    Column("evaluation", Text),
    Column("failure_kind", Text),
    Column("failure_reason", Text),
    Column("failure_seconds", Double),
    Column("finish_order", Integer),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("worker", Text),
    Column("lease_until", Double),
    Column("losses", Integer, nullable=False, server_default="0"),
    UniqueConstraint("study_id", "finish_order", name="uq_trials_finish_order"),
    Index("ix_trials_state", "study_id", "state", "number"),
    Index("ix_trials_ask", "study_id", "stage", "ask_number"),
)

CURSORS = Table(
    "cursors",
    METADATA,
    Column("study_id", Integer, ForeignKey("studies.id", name="fk_cursors_study"), primary_key=True),
    Column("reader", Text, primary_key=True),
    Column("finish_order", Integer, nullable=False),
)
