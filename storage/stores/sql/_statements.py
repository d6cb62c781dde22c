"""The store's statements, made once: building one anew took longer than running it."""

from __future__ import annotations

from sqlalchemy import bindparam, extract, func, insert, or_, select, update

from evaluators import TrialState
from storage._rules import MAX_LOSSES
from storage.stores.sql._models import CURSORS, STUDIES, TRIALS
from storage.stores.sql._rows import OUTCOME_COLUMNS, RECORD_COLUMNS, TRIAL_COLUMNS

WAITING, RUNNING = TrialState.WAITING.value, TrialState.RUNNING.value

_of_study = TRIALS.c.study_id == bindparam("of_study")
_running = (_of_study, TRIALS.c.state == RUNNING)
_held = (*_running, TRIALS.c.worker == bindparam("holder"))
_expired = (*_running, TRIALS.c.lease_until < bindparam("now"))
_hopeless = TRIALS.c.losses >= MAX_LOSSES - 1
_trials = select(*TRIAL_COLUMNS)

STUDY_ID = select(STUDIES.c.id).where(STUDIES.c.name == bindparam("name"))
STUDY_NAMES = select(STUDIES.c.name).order_by(STUDIES.c.id)
LOCK_STUDY = select(STUDIES.c.id).where(STUDIES.c.id == bindparam("of_study")).with_for_update()
RECORD = select(*RECORD_COLUMNS).where(STUDIES.c.id == bindparam("of_study"))
RECORDS = select(*RECORD_COLUMNS).order_by(STUDIES.c.id)
ADD_STUDY = insert(STUDIES)
SET_CONFIG = update(STUDIES).where(STUDIES.c.id == bindparam("of_study")).values(config=bindparam("new_config"))

SERVER_TIME = select(extract("epoch", func.clock_timestamp()))
ANSWERED = select(func.max(TRIALS.c.ask_number)).where(_of_study, TRIALS.c.stage == bindparam("stage"))
LAST_NUMBER = select(func.max(TRIALS.c.number)).where(_of_study)
LAST_FINISH = select(func.max(TRIALS.c.finish_order)).where(_of_study)

WAITING_TRIALS = (
    _trials.where(_of_study, TRIALS.c.state == WAITING).order_by(TRIALS.c.number).limit(bindparam("at_most"))
)
OPEN_TRIALS = _trials.where(_of_study, TRIALS.c.state.in_([WAITING, RUNNING]))
"""In no order: asked for one, SQLite walks through all trials instead of the index."""
FINISHED_AFTER = _trials.where(_of_study, TRIALS.c.finish_order > bindparam("after")).order_by(TRIALS.c.finish_order)
OPEN_OR_AFTER = _trials.where(
    _of_study, or_(TRIALS.c.finish_order.is_(None), TRIALS.c.finish_order > bindparam("after"))
)
NAMED_TRIALS = _trials.where(_of_study, TRIALS.c.number.in_(bindparam("numbers", expanding=True)))
HELD_NUMBERS = select(TRIALS.c.number).where(*_held)
EXPIRED_NUMBERS = select(TRIALS.c.number).where(*_expired)
HOLDERS = select(TRIALS.c.worker).where(*_running).distinct()
HOPELESS_HELD = _trials.where(*_held, _hopeless).order_by(TRIALS.c.number)
HOPELESS_EXPIRED = _trials.where(*_expired, _hopeless).order_by(TRIALS.c.number)

ADD_TRIALS = insert(TRIALS)
CLAIM = (
    update(TRIALS)
    .where(_of_study, TRIALS.c.number.in_(bindparam("numbers", expanding=True)))
    .values(state=RUNNING, worker=bindparam("holder"), lease_until=bindparam("until"), started_at=bindparam("now"))
)
PROLONG = update(TRIALS).where(*_held).values(lease_until=bindparam("until"))
_returned = {"state": WAITING, "worker": None, "lease_until": None, "started_at": None}
RELEASE_HELD = update(TRIALS).where(*_held).values(_returned)
REQUEUE_HELD = update(TRIALS).where(*_held).values({**_returned, "losses": TRIALS.c.losses + 1})
REQUEUE_EXPIRED = update(TRIALS).where(*_expired).values({**_returned, "losses": TRIALS.c.losses + 1})
END = (
    update(TRIALS)
    .where(_of_study, TRIALS.c.number == bindparam("of_number"))
    .values({column.name: bindparam(f"new_{column.name}") for column in OUTCOME_COLUMNS})
)

_of_reader = (CURSORS.c.study_id == bindparam("of_study"), CURSORS.c.reader == bindparam("of_reader"))
CURSOR = select(CURSORS.c.finish_order).where(*_of_reader)
ADD_CURSOR = insert(CURSORS)
MOVE_CURSOR = update(CURSORS).where(*_of_reader).values(finish_order=bindparam("new_finish_order"))
