-- Workers that take tasks from the queue: steps in doubt, tools that kill their worker, what is parked for other code.
-- The same as sql/sqlite/0003_workers.sql.

-- A page has room for one more version of each of its rows, and a little, for a version that is larger: a worker that
-- claims 200 tasks, and one that ends them, updates all rows of a page at once, and before the old versions may go.
alter table tasks set (fillfactor = 45);
alter table task_steps set (fillfactor = 45);

-- Of the flow's code that parked the task: a worker that has other code for the flow takes it up again.
alter table tasks add column parked_code text check (parked_code is null or parked_reason is not null);
-- Parked tasks are few, and the migration is one transaction, in which no index can be built concurrently.
-- squawk-ignore require-concurrent-index-creation
create index tasks_parked on tasks (flow_name) where parked_reason is not null;

-- It was claimed under a limit on its flow, and is held: such tasks are counted with every claim. A flow without a limit
-- has none, so that its claims change no index. Not in SQLite, which has all that is held in an index.
alter table tasks add column limited boolean not null default false
  check (not limited or lease_owner is not null);
-- squawk-ignore require-concurrent-index-creation
create index tasks_limited on tasks (flow_name) where limited;

-- How often the step was started since an attempt of its tool last ended.
alter table task_steps add column starts integer not null default 0 check (starts >= 0);
-- Why nobody knows whether the effect of its at-most-once tool happened; null: it is not in doubt.
alter table task_steps add column doubt json check (doubt is null or status = 'RUNNING');

-- Of the step that a `resolve` settles, when it was posted: one that was opened again since is another.
alter table task_inbox add column attempt_epoch integer;
alter table task_inbox drop constraint task_inbox_kind_check;
alter table task_inbox drop constraint child_has_step;
-- The old rows hold to all of it, so that none has to be read.
alter table task_inbox
  add constraint task_inbox_kind_check check (kind in ('signal', 'child', 'cancel', 'resolve')) not valid,
  add constraint step_is_named check ((kind in ('child', 'resolve')) = (step_id is not null)) not valid,
  add constraint resolve_has_epoch check ((kind = 'resolve') = (attempt_epoch is not null)) not valid;

-- How many tasks it drives at once; 0: it takes none from the queue.
alter table workers add column concurrency integer not null default 0 check (concurrency >= 0);
-- Whether a free lock tells that it is dead; false behind a pooler, where locks do not last, and its lease alone counts.
-- Not in SQLite: nothing stands between a worker and the file.
alter table workers add column locks boolean not null default true;
