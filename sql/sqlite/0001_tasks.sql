-- Tasks, their steps, the tool calls of the steps, and the workers that drive them.
-- The same tables as sql/postgres/0001_tasks.sql. Times are milliseconds since 1970, UTC. JSON columns keep their text.

create table tasks (
  id text not null primary key,
  flow_name text not null,
  status text not null check (status in ('PLANNED', 'RUNNING', 'WAITING_OBSERVATION', 'COMPLETED', 'FAILED', 'CANCELLED')),
  version integer not null default 1 check (version >= 1),
  current_step integer not null default 0 check (current_step >= 0),
  observed_count integer not null default 0 check (observed_count >= 0),
  input_payload text not null,
  output_payload text,
  error text,
  lease_owner text,
  due_at integer,
  priority integer not null default 5 check (priority between 0 and 9),
  wake_seq integer not null default 0,
  parked_reason text,
  created_at integer not null,
  updated_at integer not null,
  finished_at integer,
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status in ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at is not null)),
  constraint ended_is_held_by_nobody check (finished_at is null or (lease_owner is null and due_at is null and parked_reason is null)),
  constraint parked_is_not_due check (parked_reason is null or due_at is null)
) strict, without rowid;

create index tasks_by_creation on tasks (created_at, id);
create index tasks_due on tasks (flow_name, priority, due_at) where due_at is not null;

create table task_steps (
  task_id text not null references tasks (id) on delete cascade,
  id text not null,
  step_index integer not null check (step_index >= 1),
  path text not null,
  kind text not null check (kind in ('tool', 'sleep', 'signal', 'child')),
  step_name text not null,
  target text,
  status text not null check (status in ('PLANNED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
  input_payload text not null,
  output_payload text,
  error text,
  outcome_seq integer check (outcome_seq >= 1),
  observed_at integer,
  created_at integer not null,
  updated_at integer not null,
  primary key (task_id, id),
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint outcome_is_numbered check (status not in ('COMPLETED', 'FAILED') or outcome_seq is not null),
  constraint open_has_no_outcome check (status not in ('PLANNED', 'RUNNING') or outcome_seq is null),
  constraint observed_has_outcome check (observed_at is null or outcome_seq is not null)
) strict, without rowid;

create table tool_calls (
  task_id text not null,
  id text not null,
  task_step_id text not null,
  idempotency_key text not null,
  tool_name text not null,
  status text not null check (status in ('RUNNING', 'COMPLETED', 'FAILED')),
  retry_count integer not null default 0 check (retry_count >= 0),
  last_error text,
  request_payload text not null,
  response_payload text,
  error text,
  started_at integer not null,
  finished_at integer,
  created_at integer not null,
  -- The unique constraint on the idempotency key, which starts with the task's id.
  primary key (task_id, idempotency_key),
  foreign key (task_id, task_step_id) references task_steps (task_id, id) on delete cascade,
  constraint response_only_when_completed check ((status = 'COMPLETED') = (response_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status = 'RUNNING') = (finished_at is null))
) strict, without rowid;

create table workers (
  id text not null primary key,
  name text not null,
  started_at integer not null,
  lease_until integer not null,
  -- How long the lease is from one renewal to the next one missed.
  lease_ms integer not null check (lease_ms > 0)
) strict, without rowid;
