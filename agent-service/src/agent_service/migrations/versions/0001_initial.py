"""Conversations, messages, runs, tool calls, and what the model remembers."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE conversations (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      title text NOT NULL,
      instructions text NOT NULL DEFAULT '',
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      deleted_at timestamptz
    )
    """,
    "CREATE INDEX conversations_newest ON conversations (user_id, updated_at DESC, id DESC) WHERE deleted_at IS NULL",
    "CREATE INDEX conversations_deleted ON conversations (deleted_at) WHERE deleted_at IS NOT NULL",
    # parent_id makes the messages of a conversation a tree: an edited message is another child of the same parent
    """
    CREATE TABLE messages (
      id uuid PRIMARY KEY,
      seq bigint GENERATED ALWAYS AS IDENTITY,
      conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
      user_id uuid NOT NULL,
      parent_id uuid REFERENCES messages ON DELETE CASCADE,
      run_id uuid,
      role text NOT NULL CHECK (role IN ('user', 'assistant')),
      text text NOT NULL,
      status text NOT NULL CHECK (status IN ('complete', 'cancelled', 'failed')),
      created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX messages_in_order ON messages (conversation_id, seq)",
    "CREATE INDEX messages_by_run ON messages (run_id, seq)",
    "CREATE INDEX messages_by_parent ON messages (parent_id)",
    # `attempt` counts the workers that have had the run; each of their writes names it, so that only the last succeeds.
    # `done_at`: when the event `done` was known to be in the stream, after which nobody has anything left to do
    """
    CREATE TABLE runs (
      id uuid PRIMARY KEY,
      user_id uuid NOT NULL,
      username text NOT NULL,
      conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
      message_id uuid NOT NULL,
      client_request_id text,
      note_id uuid,
      status text NOT NULL DEFAULT 'queued'
        CHECK (status IN ('queued', 'running', 'waiting', 'completed', 'failed', 'cancelled')),
      attempt integer NOT NULL DEFAULT 0,
      lease_until timestamptz,
      cancel_requested boolean NOT NULL DEFAULT false,
      last_event_id bigint NOT NULL DEFAULT 0,
      model text NOT NULL DEFAULT '',
      mode text NOT NULL DEFAULT 'live',
      input_tokens bigint NOT NULL DEFAULT 0,
      output_tokens bigint NOT NULL DEFAULT 0,
      requests integer NOT NULL DEFAULT 0,
      error jsonb,
      finish_reason text,
      created_at timestamptz NOT NULL DEFAULT now(),
      finished_at timestamptz,
      done_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX runs_once_per_request ON runs (user_id, client_request_id)",
    """
    CREATE UNIQUE INDEX runs_one_active_per_conversation ON runs (conversation_id)
      WHERE status IN ('queued', 'running', 'waiting')
    """,
    "CREATE INDEX runs_by_conversation ON runs (conversation_id)",
    "CREATE INDEX runs_unfinished ON runs (created_at) WHERE done_at IS NULL",
    # `arguments` as the model wrote them; `result` and `change` are JSON, as text: JSON may hold what jsonb refuses
    """
    CREATE TABLE tool_calls (
      run_id uuid NOT NULL REFERENCES runs ON DELETE CASCADE,
      call_id text NOT NULL,
      seq bigint GENERATED ALWAYS AS IDENTITY,
      user_id uuid NOT NULL,
      message_id uuid NOT NULL REFERENCES messages ON DELETE CASCADE,
      name text NOT NULL,
      arguments text NOT NULL,
      status text NOT NULL DEFAULT 'running' CHECK (status IN ('running', 'ok', 'error', 'denied')),
      result text,
      truncated boolean NOT NULL DEFAULT false,
      change text,
      duration_ms integer,
      created_at timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (run_id, call_id)
    )
    """,
    "CREATE INDEX tool_calls_by_message ON tool_calls (message_id)",
    """
    CREATE TABLE session_items (
      conversation_id uuid NOT NULL REFERENCES conversations ON DELETE CASCADE,
      seq integer NOT NULL,
      user_id uuid NOT NULL,
      run_id uuid NOT NULL,
      item text NOT NULL,
      PRIMARY KEY (conversation_id, seq)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
