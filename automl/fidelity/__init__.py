"""Fidelities: cheap stand-ins for full training, the audit that lets them rank, and promotion between them.

Pure functions of labels and trials; what runs trainings lives in `automl.auditing`.
"""

from automl.fidelity._agreement import Agreement, Labels, Resamples, agreement, ceiling_of_tau, normal_scores, resamples
from automl.fidelity._ladder import Ladder, rung_name
from automl.fidelity._promoting import Promoting
from automl.fidelity._promotion import PROMOTIONS, Promotion, promotable, ranked
from automl.fidelity._recheck import is_withdrawn, rechecks
from automl.fidelity._record import AUDIT_STAGE, AuditPlan, RungAudit, accepted, audit_of, needed
from automl.fidelity._verdict import FLOOR, Look, Rule, Verdict, audited, look

__all__ = [
    "AUDIT_STAGE",
    "FLOOR",
    "PROMOTIONS",
    "Agreement",
    "AuditPlan",
    "Labels",
    "Ladder",
    "Look",
    "Promoting",
    "Promotion",
    "Resamples",
    "Rule",
    "RungAudit",
    "Verdict",
    "accepted",
    "agreement",
    "audit_of",
    "audited",
    "ceiling_of_tau",
    "is_withdrawn",
    "look",
    "needed",
    "normal_scores",
    "promotable",
    "ranked",
    "rechecks",
    "resamples",
    "rung_name",
]
