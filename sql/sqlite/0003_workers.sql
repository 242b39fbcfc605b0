-- Workers that take tasks from the queue: steps in doubt, tools that kill their worker, what is parked for other code.
-- The same as sql/postgres/0003_workers.sql. SQLite cannot change a constraint in place, so the tables are made anew.
-- In their constraints `x = 'a' or x = 'b' or …` stands for `x in (…)`: for a list of three or more, SQLite builds a
-- small index anew with every row that it writes. Measured: a third of the time that a drained task took.

create table new_tasks (
  id text not null primary key,
  flow_name text not null,
  status text not null check (
    status = 'RUNNING' or status = 'WAITING_OBSERVATION' or status = 'COMPLETED' or status = 'PLANNED'
    or status = 'FAILED' or status = 'CANCELLED'
  ),
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
  -- Of the flow's code that parked the task: a worker that has other code for the flow takes it up again.
  parked_code text,
  parent_task_id text,
  parent_step_id text,
  depth integer not null default 0 check (depth >= 0),
  -- How many outcomes the flow had been given when it heard of the cancel; null: it was not cancelled.
  cancelled_after integer check (cancelled_after >= 0),
  cancelled_at integer,
  created_at integer not null,
  updated_at integer not null,
  finished_at integer,
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check (
    (status = 'COMPLETED' or status = 'FAILED' or status = 'CANCELLED') = (finished_at is not null)
  ),
  constraint ended_is_held_by_nobody check (finished_at is null or (lease_owner is null and due_at is null and parked_reason is null)),
  constraint parked_is_not_due check (parked_reason is null or due_at is null),
  constraint parked_by_code check (parked_code is null or parked_reason is not null)
) strict, without rowid;

create table new_task_steps (
  task_id text not null references new_tasks (id) on delete cascade,
  id text not null,
  step_index integer not null check (step_index >= 1),
  path text not null,
  kind text not null check (kind = 'tool' or kind = 'sleep' or kind = 'signal' or kind = 'child'),
  step_name text not null,
  target text,
  status text not null check (
    status = 'PLANNED' or status = 'RUNNING' or status = 'COMPLETED' or status = 'FAILED' or status = 'CANCELLED'
  ),
  input_payload text not null,
  output_payload text,
  error text,
  outcome_seq integer check (outcome_seq >= 1),
  observed_at integer,
  -- A sleep ends, a wait times out, or a tool is tried again, at this time of the store's clock.
  due_at integer,
  -- Raised when a failed step is opened again by hand.
  attempt_epoch integer not null default 0 check (attempt_epoch >= 0),
  -- How often the step was started since an attempt of its tool last ended.
  starts integer not null default 0 check (starts >= 0),
  -- Why nobody knows whether the effect of its at-most-once tool happened; null: it is not in doubt.
  doubt text,
  created_at integer not null,
  updated_at integer not null,
  primary key (task_id, id),
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint outcome_is_numbered check (status not in ('COMPLETED', 'FAILED') or outcome_seq is not null),
  constraint open_has_no_outcome check (status not in ('PLANNED', 'RUNNING') or outcome_seq is null),
  constraint observed_has_outcome check (observed_at is null or outcome_seq is not null),
  constraint doubt_is_open check (doubt is null or status = 'RUNNING')
) strict, without rowid;

create table new_tool_calls (
  task_id text not null,
  id text not null,
  task_step_id text not null,
  idempotency_key text not null,
  tool_name text not null,
  status text not null check (status = 'COMPLETED' or status = 'RUNNING' or status = 'FAILED'),
  retry_count integer not null default 0 check (retry_count >= 0),
  attempt_epoch integer not null default 0 check (attempt_epoch >= 0),
  last_error text,
  request_payload text not null,
  response_payload text,
  error text,
  started_at integer not null,
  finished_at integer,
  created_at integer not null,
  -- The unique constraint on the idempotency key, which starts with the task's id.
  primary key (task_id, idempotency_key),
  foreign key (task_id, task_step_id) references new_task_steps (task_id, id) on delete cascade,
  constraint response_only_when_completed check ((status = 'COMPLETED') = (response_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status = 'RUNNING') = (finished_at is null))
) strict, without rowid;

create table new_task_inbox (
  task_id text not null references new_tasks (id) on delete cascade,
  -- The wake_seq of the task that came with it.
  seq integer not null,
  kind text not null check (kind = 'signal' or kind = 'child' or kind = 'cancel' or kind = 'resolve'),
  -- Of the signal.
  name text,
  -- The step that waits for the child, or that is settled.
  step_id text,
  payload text,
  -- Why the child failed, or the step that is settled.
  error text,
  idempotency_key text,
  -- Of the step that a `resolve` settles, when it was posted: one that was opened again since is another.
  attempt_epoch integer,
  created_at integer not null,
  consumed_at integer,
  primary key (task_id, seq),
  constraint signal_is_named check ((kind = 'signal') = (name is not null)),
  constraint step_is_named check ((kind in ('child', 'resolve')) = (step_id is not null)),
  constraint child_ended_one_way check (kind <> 'child' or (payload is null) <> (error is null)),
  constraint resolve_has_epoch check ((kind = 'resolve') = (attempt_epoch is not null))
) strict, without rowid;

insert into new_tasks (
  id, flow_name, status, version, current_step, observed_count, input_payload, output_payload, error, lease_owner, due_at,
  priority, wake_seq, parked_reason, parent_task_id, parent_step_id, depth, cancelled_after, cancelled_at,
  created_at, updated_at, finished_at
) select
  id, flow_name, status, version, current_step, observed_count, input_payload, output_payload, error, lease_owner, due_at,
  priority, wake_seq, parked_reason, parent_task_id, parent_step_id, depth, cancelled_after, cancelled_at,
  created_at, updated_at, finished_at
from tasks;

insert into new_task_steps (
  task_id, id, step_index, path, kind, step_name, target, status, input_payload, output_payload, error, outcome_seq,
  observed_at, due_at, attempt_epoch, created_at, updated_at
) select
  task_id, id, step_index, path, kind, step_name, target, status, input_payload, output_payload, error, outcome_seq,
  observed_at, due_at, attempt_epoch, created_at, updated_at
from task_steps;

insert into new_tool_calls (
  task_id, id, task_step_id, idempotency_key, tool_name, status, retry_count, attempt_epoch, last_error,
  request_payload, response_payload, error, started_at, finished_at, created_at
) select
  task_id, id, task_step_id, idempotency_key, tool_name, status, retry_count, attempt_epoch, last_error,
  request_payload, response_payload, error, started_at, finished_at, created_at
from tool_calls;

insert into new_task_inbox (
  task_id, seq, kind, name, step_id, payload, error, idempotency_key, created_at, consumed_at
) select
  task_id, seq, kind, name, step_id, payload, error, idempotency_key, created_at, consumed_at
from task_inbox;

-- The new tables refer to new ones only, so none of their rows goes with the old. Who refers goes first: dropping a
-- table that is referred to deletes row by row.
drop table tool_calls;
drop table task_inbox;
drop table task_steps;
drop table tasks;
-- The references follow the names.
alter table new_tasks rename to tasks;
alter table new_task_steps rename to task_steps;
alter table new_tool_calls rename to tool_calls;
alter table new_task_inbox rename to task_inbox;

create index tasks_by_creation on tasks (created_at, id);
create index tasks_due on tasks (flow_name, priority, due_at) where due_at is not null;
create index tasks_parked on tasks (flow_name) where parked_reason is not null;
-- What workers hold is little beside what is due: it is counted, and let go of, without a walk through the queue.
create index tasks_held on tasks (flow_name, lease_owner) where lease_owner is not null;
create unique index task_inbox_keys on task_inbox (task_id, idempotency_key) where idempotency_key is not null;

-- How many tasks it drives at once; 0: it takes none from the queue.
alter table workers add column concurrency integer not null default 0 check (concurrency >= 0);
