"""The JetStream streams and their shared consumers: what they capture and for how long. Durations in seconds."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from contracts import subjects

HOUR = 3600.0


class Stream(BaseModel):
    """A stream with file storage. `direct_get`: messages can be read without a consumer (NATS ADR-31)."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    subjects: tuple[str, ...]
    retention: Literal["limits", "work_queue"] = "limits"
    max_age: float | None = None
    max_bytes: int | None = None
    """If it is exceeded, the oldest messages are deleted."""
    direct_get: bool = False
    duplicate_window: float = 10.0
    """Short, because the server keeps all message ids of the window in memory, and readers drop duplicates anyway."""


class Consumer(BaseModel):
    """A durable pull consumer that all replicas of a service share: each message goes to one of them."""

    model_config = ConfigDict(frozen=True)

    stream: Stream
    name: str
    description: str
    ack_wait: float
    max_ack_pending: int = 10_000
    only_new: bool = False


RUN_JOBS = Stream(
    name="RUN_JOBS",
    description="Runs that wait for a worker.",
    subjects=(subjects.ALL_RUN_JOBS,),
    retention="work_queue",
)
RUN_EVENTS = Stream(
    name="RUN_EVENTS",
    description="The events of runs in segments, for whoever comes later; the database answers once they are gone.",
    subjects=(subjects.ALL_RUN_LOGS,),
    max_age=1 * HOUR,
    max_bytes=1024**3,
    direct_get=True,
)
NOTE_EVENTS = Stream(
    name="NOTE_EVENTS",
    description="Note changes of the last day, in cursor order per user.",
    subjects=(subjects.ALL_USER_NOTES,),
    max_age=24 * HOUR,
    max_bytes=256 * 1024**2,
    direct_get=True,
)

ALL = (RUN_JOBS, RUN_EVENTS, NOTE_EVENTS)

RUN_WORKERS = Consumer(
    stream=RUN_JOBS,
    name="workers",
    description="Every agent service pulls from this one consumer.",
    ack_wait=10,
)
"""A worker acks a job at once: it only says that there is a run to claim in the database."""
NOTE_INDEXERS = Consumer(
    stream=NOTE_EVENTS,
    name="learners",
    description="Every notes service that learns what notes mean pulls from this one consumer.",
    ack_wait=60,
    only_new=True,
)
"""Earlier notes are found in the database. The consumer's name on the broker is older than this one."""

ALL_CONSUMERS = (RUN_WORKERS, NOTE_INDEXERS)
