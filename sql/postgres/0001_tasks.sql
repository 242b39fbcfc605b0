-- Tasks, their steps, the tool calls of the steps, and the workers that drive them.
-- The same tables as sql/sqlite/0001_tasks.sql. JSON columns are `json`, not `jsonb`: they keep their text,
-- so that a replay sees the object that was recorded. Every table is keyed by task id first: a task's rows are found and
-- deleted together, and the tables can be distributed by it. What changes often is in no index, and pages keep room for
-- the next version of a row, so that updates stay within their page (HOT).

create table tasks (
  id uuid not null primary key,
  flow_name text not null,
  status text not null check (status in ('PLANNED', 'RUNNING', 'WAITING_OBSERVATION', 'COMPLETED', 'FAILED', 'CANCELLED')),
  version bigint not null default 1 check (version >= 1),
  current_step integer not null default 0 check (current_step >= 0),
  observed_count integer not null default 0 check (observed_count >= 0),
  input_payload json not null,
  output_payload json,
  error json,
  lease_owner uuid,
  due_at timestamptz,
  priority smallint not null default 5 check (priority between 0 and 9),
  wake_seq bigint not null default 0,
  parked_reason text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status in ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at is not null)),
  constraint ended_is_held_by_nobody check (finished_at is null or (lease_owner is null and due_at is null and parked_reason is null)),
  constraint parked_is_not_due check (parked_reason is null or due_at is null)
) with (fillfactor = 70);

create index tasks_by_creation on tasks (created_at, id);
create index tasks_due on tasks (flow_name, priority, due_at) where due_at is not null;

create table task_steps (
  task_id uuid not null references tasks (id) on delete cascade,
  id uuid not null,
  step_index integer not null check (step_index >= 1),
  path text not null,
  kind text not null check (kind in ('tool', 'sleep', 'signal', 'child')),
  step_name text not null,
  target text,
  status text not null check (status in ('PLANNED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
  input_payload json not null,
  output_payload json,
  error json,
  outcome_seq integer check (outcome_seq >= 1),
  observed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (task_id, id),
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint outcome_is_numbered check (status not in ('COMPLETED', 'FAILED') or outcome_seq is not null),
  constraint open_has_no_outcome check (status not in ('PLANNED', 'RUNNING') or outcome_seq is null),
  constraint observed_has_outcome check (observed_at is null or outcome_seq is not null)
) with (fillfactor = 80);

create table tool_calls (
  task_id uuid not null,
  id uuid not null,
  task_step_id uuid not null,
  idempotency_key text not null,
  tool_name text not null,
  status text not null check (status in ('RUNNING', 'COMPLETED', 'FAILED')),
  retry_count integer not null default 0 check (retry_count >= 0),
  last_error json,
  request_payload json not null,
  response_payload json,
  error json,
  started_at timestamptz not null,
  finished_at timestamptz,
  created_at timestamptz not null,
  -- The unique constraint on the idempotency key, which starts with the task's id.
  primary key (task_id, idempotency_key),
  foreign key (task_id, task_step_id) references task_steps (task_id, id) on delete cascade,
  constraint response_only_when_completed check ((status = 'COMPLETED') = (response_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status = 'RUNNING') = (finished_at is null))
) with (fillfactor = 80);

create table workers (
  id uuid not null primary key,
  name text not null,
  started_at timestamptz not null,
  lease_until timestamptz not null,
  -- How long the lease is from one renewal to the next one missed.
  lease_ms integer not null check (lease_ms > 0)
);
