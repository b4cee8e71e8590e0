"""Every NATS subject, once. Users come first, so that a user is one subscription and one shard key."""


def user_all(user_id: str) -> str:
    """Everything a user's tabs may hear: the gateway's one subscription per connected user."""
    return f"user.{user_id}.>"


def user_notes(user_id: str) -> str:
    """Note changes, captured by the stream NOTE_EVENTS. Only the notes service publishes here."""
    return f"user.{user_id}.notes"


def user_run(user_id: str, run_id: str) -> str:
    """One run's events, captured by the stream RUN_EVENTS. Only the agent service publishes here."""
    return f"user.{user_id}.run.{run_id}"


def user_signal(user_id: str) -> str:
    """Hints that may be lost (core NATS only): a run or a conversation changed; whoever cares reads it afresh."""
    return f"user.{user_id}.signal"


def note_export(export_id: str) -> str:
    """Where the replica that makes an export is asked for its pieces."""
    return f"notes.export.{export_id}"


def run_of(subject: str) -> str | None:
    """The run id in a run events subject, or None where the subject is another one of the user's."""
    parts = subject.split(".")
    return parts[3] if len(parts) == 4 and parts[2] == "run" else None


def run_job(run_id: str) -> str:
    """One run waiting for a worker, in the work queue RUN_JOBS."""
    return f"jobs.run.{run_id}"


def run_control(run_id: str) -> str:
    """Tells the worker that owns the run to look at the run's row again: cancelled, or decided (core NATS)."""
    return f"control.run.{run_id}"


ALL_USER_NOTES = "user.*.notes"
ALL_USER_RUNS = "user.*.run.*"
ALL_RUN_JOBS = "jobs.run.*"
ALL_RUN_CONTROLS = "control.run.*"
