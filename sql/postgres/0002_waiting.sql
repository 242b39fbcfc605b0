-- Waiting: due times of steps, the inbox in which outsiders leave what a task should hear, children, cancels, retries.
-- The same as sql/sqlite/0002_waiting.sql.

alter table tasks add column parent_task_id uuid;
alter table tasks add column parent_step_id uuid;
alter table tasks add column depth integer not null default 0 check (depth >= 0);
-- How many outcomes the flow had been given when it heard of the cancel; null: it was not cancelled.
alter table tasks add column cancelled_after integer check (cancelled_after >= 0);
alter table tasks add column cancelled_at timestamptz;

-- A sleep ends, and a wait times out, at this time of the store's clock.
alter table task_steps add column due_at timestamptz;
-- Raised when a failed step is opened again by hand.
alter table task_steps add column attempt_epoch integer not null default 0 check (attempt_epoch >= 0);
alter table tool_calls add column attempt_epoch integer not null default 0 check (attempt_epoch >= 0);

create table task_inbox (
  task_id uuid not null references tasks (id) on delete cascade,
  -- The wake_seq of the task that came with it.
  seq bigint not null,
  kind text not null check (kind in ('signal', 'child', 'cancel')),
  -- Of the signal.
  name text,
  -- The step that waits for the child.
  step_id uuid,
  payload json,
  -- Why the child failed.
  error json,
  idempotency_key text,
  created_at timestamptz not null,
  consumed_at timestamptz,
  primary key (task_id, seq),
  constraint signal_is_named check ((kind = 'signal') = (name is not null)),
  constraint child_has_step check ((kind = 'child') = (step_id is not null)),
  constraint child_ended_one_way check (kind <> 'child' or (payload is null) <> (error is null))
);

create unique index task_inbox_keys on task_inbox (task_id, idempotency_key) where idempotency_key is not null;
