"""Every NATS subject, once. Users come first, so that a user is one subscription and one shard key."""


def user_all(user_id: str) -> str:
    """Everything that a user's tabs may receive: the gateway's only subscription per connected user."""
    return f"user.{user_id}.>"


def user_notes(user_id: str) -> str:
    """Note changes, captured by the stream NOTE_EVENTS. Only the notes service publishes here."""
    return f"user.{user_id}.notes"


def user_live(user_id: str, run_id: str) -> str:
    """One run's events as they happen (core NATS only, may be lost). Only the agent service publishes here."""
    return f"user.{user_id}.live.{run_id}"


def run_log(user_id: str, run_id: str) -> str:
    """One run's events in segments, captured by the stream RUN_EVENTS. Only the agent service publishes here, and
    nobody listens: it is not among what a gateway hears of its users."""
    return f"log.{user_id}.{run_id}"


def user_signal(user_id: str) -> str:
    """Signals, which may be lost (core NATS only): a run or a conversation has changed and should be read again."""
    return f"user.{user_id}.signal"


def note_export(export_id: str) -> str:
    """The subject on which the replica that runs an export receives requests for its chunks."""
    return f"notes.export.{export_id}"


def run_job(run_id: str) -> str:
    """One run waiting for a worker, in the work queue RUN_JOBS."""
    return f"jobs.run.{run_id}"


def run_control(run_id: str) -> str:
    """Tells the worker that owns the run (core NATS): with the body `FLUSH` to write its events to the log now, else to
    look at the run's row again, which is cancelled or decided."""
    return f"control.run.{run_id}"


FLUSH = b"flush"

SESSIONS_CHANGED = "control.sessions"
"""Between gateways (core NATS): sessions that have ended, or whose token was replaced."""

ALL_USER_NOTES = "user.*.notes"
ALL_RUN_LOGS = "log.*.*"
ALL_RUN_JOBS = "jobs.run.*"
ALL_RUN_CONTROLS = "control.run.*"
