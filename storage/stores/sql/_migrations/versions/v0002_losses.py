"""How often a worker was lost with each trial."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds the column; no trial of an older release was counted."""
    op.add_column("trials", sa.Column("losses", sa.Integer, nullable=False, server_default="0"))
