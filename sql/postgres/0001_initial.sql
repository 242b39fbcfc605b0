-- Tasks, their steps, the tool calls of the steps, what outsiders left for them, and the workers that drive them.
-- The same tables as sql/sqlite/0001_initial.sql.
--
-- JSON columns are `json`, not `jsonb`: they keep their text, so that a replay sees the object that was recorded.
-- Every table is keyed by task id first: a task's rows are found and deleted together, and the tables can be distributed
-- by it. What changes often is in no index, and a page keeps room for one more version of each of its rows, and a little,
-- for a version that is larger: so updates stay within their page (HOT) though a worker that claims 200 tasks, and one
-- that ends them, updates all rows of a page at once, and before the old versions may go.

create table tasks (
  id uuid not null primary key,
  flow_name text not null,
  -- Of the flow's code that drove the task last: all that is recorded is what this code decides. Null: a flow that comes
  -- with the program.
  flow_code text,
  -- The file that its flow was loaded from when it was created, on the machine where that was. Null: it comes with the
  -- program.
  flow_file text,
  parent_task_id uuid,
  parent_step_id uuid,
  -- The schedule that made it; null for all others.
  schedule text collate "C",
  -- What people gave it to find it by, a JSON object of texts. Null: nothing. `task_tags` has the same, to be searched.
  tags json,
  -- The tags that the task was created with, where its flow has set others since. Null: `tags` are these.
  given_tags json,
  -- The header of W3C Trace Context that came with its creation: its trace is that one's. Null: it has a trace of its own.
  traceparent text check (length(traceparent) = 55),
  -- Of a task that was forked: from which one, before which step, and what its flow draws its random numbers and its
  -- first time from. Null: it was not.
  origin json,
  -- What it waits for while it rests, as bits: 1 time, 2 a signal, 4 a child, 8 the next attempt of a tool, 16 a limit,
  -- 32 somebody who settles a doubt, 64 the end of a pause. Null: nothing. It changes together with due_at.
  waits smallint check (waits between 1 and 127),
  depth integer not null default 0 check (depth >= 0),

  status text not null check (status in ('PLANNED', 'RUNNING', 'WAITING_OBSERVATION', 'COMPLETED', 'FAILED', 'CANCELLED')),
  -- Every claim and every transition raises it: the fence of all that write.
  version bigint not null default 1 check (version >= 1),
  current_step integer not null default 0 check (current_step >= 0),
  observed_count integer not null default 0 check (observed_count >= 0),
  -- How many outcomes the flow had been given when it heard of the cancel; null: it was not cancelled.
  cancelled_after integer check (cancelled_after >= 0),
  cancelled_at timestamptz,
  -- About what the task's record takes: its JSON texts, and a share for each step.
  recorded_bytes bigint not null default 0 check (recorded_bytes >= 0),
  -- Of how many processes in a row it was the cause: each was killed for what it did for this task, which has not come any
  -- further since.
  deaths integer not null default 0 check (deaths >= 0),

  -- 0 comes first.
  priority smallint not null default 5 check (priority between 0 and 9),
  -- Null: it is not in the queue.
  due_at timestamptz,
  -- Raised by whoever leaves something in the inbox: a driver that has not seen it does not go to sleep.
  wake_seq bigint not null default 0,
  -- The worker that drives it; null: nobody does.
  lease_owner uuid,
  -- It was claimed under a limit on its flow, and is held: such tasks are counted with every claim. A flow without a limit
  -- has none, so that its claims change no index. One that a caller drives by hand is held and does not count.
  limited boolean not null default false,
  -- What counts together under the limits of its flow, computed when it was created; null: the flow had no key then.
  limit_key text collate "C",
  -- It has a key, and was taken up before: it goes before those of its key that have not begun.
  limit_begun boolean not null default false,
  parked_reason text,
  -- Of the flow's code that parked the task: a worker that has other code for the flow takes it up again.
  parked_code text,

  created_at timestamptz not null,
  updated_at timestamptz not null,
  finished_at timestamptz,
  -- Its status, once it has ended: an index may have it. One that has `status` makes every change of it a new entry in all
  -- indexes, also while the index leaves the task out: no update would be HOT.
  end_status text generated always as (case when finished_at is not null then status end) stored,

  input_payload json not null,
  output_payload json,
  error json,
  -- What a cancel by force left behind; null: the task was not cancelled by force.
  left_undone json,

  -- Of all tasks of its flow that have not ended it alone has this key. Null: its flow had none when it was created.
  unique_key text collate "C",
  -- If it has not begun by then it is cancelled. Null once it has, and where it has all the time it likes.
  expires_at timestamptz,
  -- Why it was cancelled, where nobody has done that.
  cancel_reason text,

  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status in ('COMPLETED', 'FAILED', 'CANCELLED')) = (finished_at is not null)),
  constraint ended_is_held_by_nobody check (
    finished_at is null or (lease_owner is null and due_at is null and parked_reason is null and waits is null)
  ),
  constraint parked_is_not_due check (parked_reason is null or due_at is null),
  constraint parked_by_code check (parked_code is null or parked_reason is not null),
  constraint limited_is_held check (not limited or lease_owner is not null),
  constraint left_undone_by_cancel check (left_undone is null or status = 'CANCELLED'),
  constraint expires_before_it_begins check (expires_at is null or status = 'PLANNED'),
  constraint reason_of_cancel check (cancel_reason is null or status = 'CANCELLED')
) with (fillfactor = 45);

-- Of all tasks: the condition always holds, but only a statement that repeats it reads this index. Searches have others, for
-- which the planner would take it and throw most of it away.
create index tasks_by_creation on tasks (created_at, id) where depth >= 0;
-- What has ended stays in its place: its state may be in an index. That of a task under way may not.
-- Not `finished_at is null`, which writes say of a task that they look up: on a new database the planner would rather read
-- this index whole for them.
create index tasks_open on tasks (flow_name, created_at, id) where coalesce(finished_at, '-infinity') = '-infinity';
create index tasks_ended on tasks (flow_name, end_status, created_at, id) where finished_at is not null;
-- Tasks that rest. What few tasks have costs all others nothing.
create index tasks_waiting on tasks (flow_name, waits, created_at, id) where waits is not null;
create index tasks_of_parent on tasks (parent_task_id, created_at, id) where parent_task_id is not null;
create index tasks_of_schedule on tasks (schedule, created_at, id) where schedule is not null;
create index tasks_of_priority on tasks (priority, created_at, id) where priority <> 5;
-- The queue. A claimed task stays in it: a claim changes no index.
create index tasks_due on tasks (flow_name, priority, due_at) where due_at is not null;
create unique index tasks_unique on tasks (flow_name, unique_key) where unique_key is not null and finished_at is null;
create index tasks_expiring on tasks (expires_at) where expires_at is not null;
create index tasks_parked on tasks (flow_name, created_at, id) where parked_reason is not null;
create index tasks_limited on tasks (flow_name, limit_key) where limited;
-- Of flows whose tasks have keys: what has not begun, key by key; and what goes on and is held by nobody, whatever its
-- key.
create index tasks_by_key on tasks (flow_name, limit_key, due_at, id)
  where limit_key is not null and due_at is not null and not limit_begun;
create index tasks_begun on tasks (flow_name, due_at)
  where limit_key is not null and due_at is not null and limit_begun and not limited;
-- What a firing looks at before it makes another.
create index tasks_open_of_schedule on tasks (schedule) where schedule is not null and finished_at is null;

-- The tags of tasks, to be searched. They are few, and most tasks have none.
create table task_tags (
  task_id uuid not null references tasks (id) on delete cascade,
  key text not null,
  value text not null,
  -- Of the task.
  created_at timestamptz not null,
  primary key (task_id, key)
);

create index task_tags_by_value on task_tags (key, value, created_at, task_id);

-- Steps and calls have no foreign keys: to look for the task of each row took as long as to write the row. Who writes them
-- writes the row of their task in the same statement, and they go with it (`remove_rows_of_tasks`).
create table task_steps (
  task_id uuid not null,
  id uuid not null,
  step_index integer not null check (step_index >= 1),
  path text not null,
  kind text not null check (kind in ('tool', 'sleep', 'signal', 'child')),
  step_name text not null,
  -- The tool, the signal or the flow that it is about.
  target text,
  -- The guarantee of the step's tool when it was decided: it stands, whatever the code says later. Null: it has no tool.
  execution text,

  status text not null check (status in ('PLANNED', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')),
  outcome_seq integer check (outcome_seq >= 1),
  -- Raised when a failed step is opened again by hand.
  attempt_epoch integer not null default 0 check (attempt_epoch >= 0),
  -- How often the step was started since an attempt of its tool last ended.
  starts integer not null default 0 check (starts >= 0),

  -- A sleep ends, a wait times out, or a tool is tried again, at this time of the store's clock.
  due_at timestamptz,
  observed_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,

  input_payload json not null,
  output_payload json,
  error json,
  -- The limit of its tool whose ticket it waits for; null: it does not.
  limited_by text,
  -- Why nobody knows whether the effect of its at-most-once tool happened; null: it is not in doubt.
  doubt json,

  primary key (task_id, id),
  constraint execution_of_tool check (
    execution is null or (kind = 'tool' and execution in ('pure', 'at-least-once', 'at-most-once'))
  ),
  constraint output_only_when_completed check ((status = 'COMPLETED') = (output_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint outcome_is_numbered check (status not in ('COMPLETED', 'FAILED') or outcome_seq is not null),
  constraint open_has_no_outcome check (status not in ('PLANNED', 'RUNNING') or outcome_seq is null),
  constraint observed_has_outcome check (observed_at is null or outcome_seq is not null),
  constraint doubt_is_open check (doubt is null or status = 'RUNNING'),
  constraint limited_is_open check (limited_by is null or (status in ('PLANNED', 'RUNNING') and due_at is not null))
) with (fillfactor = 45);

create table tool_calls (
  task_id uuid not null,
  task_step_id uuid not null,
  tool_name text not null,
  -- These follow from the three. A step has one call, and its id is the step's, as a UUID of version 8.
  id uuid not null generated always as (overlay(task_step_id::text placing '8' from 15)::uuid) stored,
  idempotency_key text not null generated always as (task_id::text || ':' || task_step_id::text || ':' || tool_name) stored,

  status text not null check (status in ('RUNNING', 'COMPLETED', 'FAILED')),
  retry_count integer not null default 0 check (retry_count >= 0),
  -- Of the step, when the call was made.
  attempt_epoch integer not null default 0 check (attempt_epoch >= 0),

  started_at timestamptz not null,
  finished_at timestamptz,
  created_at timestamptz not null,

  request_payload json not null,
  response_payload json,
  error json,
  last_error json,
  -- What the tool told last of its progress; null: nothing, or it has ended.
  progress json,

  -- The idempotency key.
  primary key (task_id, task_step_id, tool_name),
  constraint response_only_when_completed check ((status = 'COMPLETED') = (response_payload is not null)),
  constraint error_only_when_failed check ((status = 'FAILED') = (error is not null)),
  constraint finished_only_when_ended check ((status = 'RUNNING') = (finished_at is null)),
  constraint progress_while_running check (progress is null or status = 'RUNNING')
) with (fillfactor = 80);

create function remove_rows_of_tasks() returns trigger language plpgsql as $$
begin
  execute format('delete from %I.tool_calls where task_id = any (array(select id from gone))', tg_table_schema);
  execute format('delete from %I.task_steps where task_id = any (array(select id from gone))', tg_table_schema);
  return null;
end
$$;

create trigger tasks_take_their_rows after delete on tasks referencing old table as gone
  for each statement execute function remove_rows_of_tasks();

-- What outsiders leave for a task: signals, ends of children, cancels, what a person says of a step in doubt, tickets.
create table task_inbox (
  task_id uuid not null references tasks (id) on delete cascade,
  -- The wake_seq of the task that came with it.
  seq bigint not null,
  kind text not null check (kind in ('signal', 'child', 'cancel', 'resolve', 'ticket')),
  -- Of the signal.
  name text,
  -- The step that waits for the child, that is settled, or that has its ticket now.
  step_id uuid,
  -- Of the step that a `resolve` settles, when it was posted: one that was opened again since is another.
  attempt_epoch integer,
  idempotency_key text,
  created_at timestamptz not null,
  consumed_at timestamptz,
  payload json,
  -- Why the child failed, or the step that is settled.
  error json,

  primary key (task_id, seq),
  constraint signal_is_named check ((kind = 'signal') = (name is not null)),
  constraint step_is_named check ((kind in ('child', 'resolve', 'ticket')) = (step_id is not null)),
  constraint child_ended_one_way check (kind <> 'child' or (payload is null) <> (error is null)),
  constraint resolve_has_epoch check ((kind = 'resolve') = (attempt_epoch is not null))
);

create unique index task_inbox_keys on task_inbox (task_id, idempotency_key) where idempotency_key is not null;
-- What waits in an inbox is found however much was dealt with before, and however many signals nobody wants.
create index task_inbox_unread on task_inbox (task_id, name, seq) where consumed_at is null;

-- JSON texts that are too long for a row. The column in the row holds a reference instead, which begins with a space, as
-- no recorded JSON does, and is JSON itself: ` "<key>:<characters>"`. So a row is small, and is read without them; and
-- what is the same within a task has the same key and is kept once.
create table payloads (
  task_id uuid not null references tasks (id) on delete cascade,
  key text not null,
  text text not null,
  primary key (task_id, key)
);

-- How many tasks there are, by flow and state, as sums: who inserts, changes or removes tasks adds what they change, in
-- the same commit, and waits for nobody. Once in a while rows are put together. So a count reads a few rows, not a
-- million tasks.
create table task_counts (
  flow_name text not null,
  status text not null,
  tasks bigint not null
);

create table workers (
  id uuid not null primary key,
  name text not null,
  -- Its process: whoever is on the same machine can see whether it is still there.
  process text not null default '',
  -- How many tasks it drives at once; 0: it takes none from the queue.
  concurrency integer not null default 0 check (concurrency >= 0),
  -- Names of the flows that it has, as a JSON array.
  flows text not null default '[]',
  -- Of the flows that come from files, the code that it has: a JSON object, from name to code.
  codes text not null default '{}',
  started_at timestamptz not null,
  lease_until timestamptz not null,
  -- How long the lease is from one renewal to the next one missed.
  lease_ms integer not null check (lease_ms > 0),
  -- How long its lock must have been free before others than those take it for dead. Null: its lease alone tells, because
  -- something between it and the server may close its connection while it lives, or hand statements to other sessions.
  -- Not in SQLite: all who have the file are on its machine.
  grace_ms integer check (grace_ms > 0),
  -- What it does in one go, once that has taken long, as JSON: {"taskId", "stepId", "seconds"}; null again when that is
  -- done. It may be the death of its process, and nobody can put it down who dies of it.
  cause text,
  -- Ids of the pauses that it has taken note of: it starts nothing that they hold back.
  pauses_seen text not null default ''
);

-- What is paused: no step that a row here holds back starts anywhere.
create table pauses (
  scope text not null check (scope in ('all', 'flow', 'tool')),
  -- Of the flow or the tool; of `all` it is empty.
  name text not null,
  -- Another one for each pause of the same thing: workers tell by it which of them they know.
  id uuid not null,
  reason text,
  made_by text not null,
  -- 1: what ran when it began was told to stop.
  aborts smallint not null default 0 check (aborts in (0, 1)),
  since timestamptz not null,
  primary key (scope, name),
  constraint all_has_no_name check ((scope = 'all') = (name = ''))
);

-- The limits of flows and tools: what the code said of each the last time, and what somebody has set in the place of that.
create table limits (
  kind text not null check (kind in ('flow', 'tool')),
  name text not null,
  is_keyed boolean not null default false,
  -- Null: not limited.
  own_running integer check (own_running >= 1),
  own_running_per_key integer check (own_running_per_key >= 1),
  own_rate_count integer check (own_rate_count >= 1),
  own_rate_ms bigint check (own_rate_ms >= 1),
  -- Null: as the code says; 0: not limited.
  running integer check (running >= 0),
  running_per_key integer check (running_per_key >= 0),
  rate_count integer check (rate_count >= 0),
  rate_ms bigint check (rate_ms >= 1),
  reason text,
  set_by text,
  set_at timestamptz,
  primary key (kind, name),
  constraint own_rate_is_whole check ((own_rate_count is null) = (own_rate_ms is null)),
  constraint rate_is_whole check ((coalesce(rate_count, 0) = 0) = (rate_ms is null)),
  constraint set_by_somebody check ((set_by is null) = (set_at is null))
);

-- How many have begun under a limit with a rate. They are counted together that began within one slice of time, as if all
-- had at its end: so there are about a hundred rows of a limit at most, and no stretch of time sees more than it may.
create table limit_starts (
  kind text not null check (kind in ('flow', 'tool')),
  name text not null,
  slice_at timestamptz not null,
  -- When the last of these began, by the clock. The slices of an earlier rate may be longer: what they end at says little.
  last_at timestamptz not null,
  count integer not null check (count >= 1),
  primary key (kind, name, slice_at)
);

-- What one worker does at a time, for all.
create table duties (
  name text not null primary key,
  -- The worker that does it, until its lease has passed.
  owner uuid not null,
  lease_until timestamptz not null
);

-- Who runs, or waits to run, a step whose tool has a limit.
create table tickets (
  task_id uuid not null references tasks (id) on delete cascade,
  step_id uuid not null,
  -- In the order in which they were asked for.
  id bigint generated always as identity,
  limit_name text not null,
  -- Empty: the limit has no key.
  key text collate "C" not null,
  -- Of who asked for it last: he alone gives it back.
  token text not null,
  -- Null: it waits.
  granted_at timestamptz,
  -- It was asked for since it was granted: its step runs, or has run. One that was granted while its step waited counts for
  -- the limit's rate as long as the rate's time has not passed; then it takes its turn again.
  begun boolean not null default false,
  primary key (task_id, step_id)
);

create index tickets_waiting on tickets (limit_name, key, id) where granted_at is null;
create index tickets_granted on tickets (limit_name, key) where granted_at is not null;

-- Who shows a token may do what its role allows. There is no secret here, only SHA-256 of random ones.
create table tokens (
  id text not null primary key,
  name text not null,
  role text not null check (role in ('viewer', 'submit', 'operator', 'admin')),
  -- Names of the flows whose tasks it reaches, as a JSON array. Null: all.
  flows text,
  hides_payloads smallint not null default 0 check (hides_payloads in (0, 1)),
  secret_hash text not null,
  -- Of the secret before the last rotation, which is taken until then.
  old_hash text,
  old_until timestamptz,
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz,
  constraint old_secret_ends check ((old_hash is null) = (old_until is null))
);

-- What people and tokens have done: one entry after the other, each chained to the one before by its hash. Entries are
-- only added; the oldest go where a setting says so, which is an entry as well. `seal_audit_entry` gives each its place, its time and its hash.
create table audit_log (
  seq bigint not null primary key,
  at timestamptz not null,
  who text not null,
  -- Id of the token; null: none was shown.
  token_id text,
  role text not null,
  -- By which way it came.
  way text not null check (way in ('cli', 'http', 'dashboard', 'worker')),
  action text not null,
  target_kind text not null,
  target text not null,
  reason text,
  request_id text,
  address text,
  -- JSON texts, as they were hashed.
  state_before text,
  state_after text,
  previous_hash text not null,
  hash text not null
);

create index audit_log_of_target on audit_log (target, seq);

-- One row: the last entry. Who adds one locks it last of all, so entries come one after the other.
create table audit_head (
  id smallint not null primary key check (id = 1),
  seq bigint not null,
  hash text not null
);

insert into audit_head (id, seq, hash) values (1, 0, '');

-- As `canonicalEntry` in core/record/audit.ts writes it.
create function seal_audit_entry() returns trigger language plpgsql set search_path from current as $$
begin
  update audit_head set seq = seq + 1 where id = 1 returning seq, hash into new.seq, new.previous_hash;
  if not found then
    raise exception 'table audit_head, it is empty: no entry can be chained to the last one' using errcode = 'data_corrupted';
  end if;
  new.at := date_trunc('milliseconds', clock_timestamp());
  new.hash := encode(sha256(convert_to((
    select string_agg(coalesce(octet_length(convert_to(f.field, 'UTF8')) || ':' || f.field || ';', '-;'), '' order by f.place)
    from unnest(array[
      new.seq::text, round(date_part('epoch', new.at)::numeric * 1000)::bigint::text, new.who, new.token_id, new.role,
      new.way, new.action, new.target_kind, new.target, new.reason, new.request_id, new.address, new.state_before,
      new.state_after, new.previous_hash
    ]) with ordinality as f (field, place)
  ), 'UTF8')), 'hex');
  update audit_head set hash = new.hash where id = 1;
  return new;
end $$;

create trigger seal_audit_entry before insert on audit_log for each row execute function seal_audit_entry();

-- Who has logged in to the dashboard. There is no secret here, only SHA-256 of random ones.
create table sessions (
  hash text not null primary key,
  -- Null: of the token that the server was started with, which is part of the hash.
  token_id text references tokens (id) on delete cascade,
  -- Of the secret that was shown: when that works no more, neither does this.
  secret_hash text,
  created_at timestamptz not null,
  used_at timestamptz not null
);

create index sessions_used on sessions (used_at);

-- When tasks are made by themselves.
create table schedules (
  -- Lists go by the bytes of names, as in SQLite.
  name text collate "C" not null primary key,
  flow_name text not null,
  -- flow: the file of its flow says it; command: somebody made it.
  owner text not null check (owner = 'flow' or owner = 'command'),
  -- Every write raises it: the fence.
  version bigint not null default 1 check (version >= 1),

  cron text,
  every_ms bigint check (every_ms > 0),
  time_zone text not null,
  input json not null,
  overlap text not null check (overlap = 'skip' or overlap = 'queue' or overlap = 'all' or overlap = 'cancel-running'),
  catch_up text not null check (catch_up = 'none' or catch_up = 'last' or catch_up = 'within'),
  catch_up_ms bigint check (catch_up_ms >= 0),
  jitter_ms bigint not null default 0 check (jitter_ms >= 0),
  priority smallint not null default 5 check (priority between 0 and 9),

  -- The time of the next firing by the clock on the wall; null: there is none.
  nominal_at timestamptz,
  -- When that is due, or when it is looked again whether it can be made.
  next_at timestamptz,
  -- The firing that waits for the end of the task before, or of one that it replaces.
  queued_at timestamptz,
  paused_at timestamptz,
  pause_reason text,
  -- Processes that have died in a row while they planned its next task.
  deaths integer not null default 0 check (deaths >= 0),

  fired_at timestamptz,
  last_task_id uuid,
  fired_count bigint not null default 0 check (fired_count >= 0),
  skipped_count bigint not null default 0 check (skipped_count >= 0),
  -- The range in schedule_skips that goes on; null: the next skip begins one.
  skip_from timestamptz,
  skip_kind text,
  created_at timestamptz not null,
  updated_at timestamptz not null,

  constraint fires_by_one_rule check ((cron is null) <> (every_ms is null)),
  constraint within_so_long check ((catch_up = 'within') = (catch_up_ms is not null)),
  constraint paused_is_not_due check (paused_at is null or next_at is null),
  constraint reason_of_pause check (pause_reason is null or paused_at is not null)
);

create index schedules_due on schedules (flow_name, next_at) where next_at is not null;

-- Firings that made no task, in ranges of one reason.
create table schedule_skips (
  schedule_name text collate "C" not null references schedules (name) on delete cascade,
  from_at timestamptz not null,
  until_at timestamptz not null,
  count bigint not null check (count >= 1),
  kind text not null check (kind = 'missed' or kind = 'overlap' or kind = 'unique' or kind = 'paused' or kind = 'refused'),
  reason text not null,
  recorded_at timestamptz not null,
  primary key (schedule_name, from_at)
);

-- Which code of a flow's file says which schedules the flow has.
create table schedule_sources (
  flow_name text not null primary key,
  code text not null,
  -- The codes that had a say before, the last one last, as a JSON array.
  seen json not null,
  version bigint not null default 1 check (version >= 1),
  -- When a worker that has this code was last there.
  confirmed_at timestamptz not null
);

-- What has happened in each minute, and of long ago in each hour: what processes have counted, each in rows of its own
-- (`writer`), which are put together in time (writer '').
create table counters (
  -- How long the row tells of.
  minutes smallint not null check (minutes = 1 or minutes = 60),
  begins_at timestamptz not null,
  flow_name text not null,
  writer text not null,
  created bigint not null check (created >= 0),
  completed bigint not null check (completed >= 0),
  failed bigint not null check (failed >= 0),
  cancelled bigint not null check (cancelled >= 0),
  -- Claims of tasks, by how long each was due: up to so many milliseconds, and more than the name before says.
  delay_1 bigint not null default 0,
  delay_2 bigint not null default 0,
  delay_5 bigint not null default 0,
  delay_10 bigint not null default 0,
  delay_20 bigint not null default 0,
  delay_50 bigint not null default 0,
  delay_100 bigint not null default 0,
  delay_200 bigint not null default 0,
  delay_500 bigint not null default 0,
  delay_1000 bigint not null default 0,
  delay_2000 bigint not null default 0,
  delay_5000 bigint not null default 0,
  delay_10000 bigint not null default 0,
  delay_20000 bigint not null default 0,
  delay_60000 bigint not null default 0,
  delay_120000 bigint not null default 0,
  delay_300000 bigint not null default 0,
  delay_900000 bigint not null default 0,
  delay_3600000 bigint not null default 0,
  delay_21600000 bigint not null default 0,
  delay_86400000 bigint not null default 0,
  delay_more bigint not null default 0,
  primary key (minutes, begins_at, flow_name, writer)
) with (fillfactor = 50);

-- What is still to be put together.
create index counters_apart on counters (begins_at) where writer <> '';

-- Whether somebody listens to what happens to tasks: while that is so, writers put each change into task_events as well. One
-- row, or none. Both tables are gone after a crash of the server: whoever listened is told to read anew.
create unlogged table event_journal (
  id smallint not null primary key default 1 check (id = 1),
  -- Another one whenever nobody has listened for a while: what happened meanwhile was not put down.
  epoch uuid not null,
  -- The transaction since when all is put down, and the one since when none of it was removed.
  began bigint not null,
  floor bigint not null,
  listened_until timestamptz not null
);

-- What happened to tasks lately, for those who listen. It is written in the transaction of the change.
create unlogged table task_events (
  -- Of the transaction: numbers of rows are drawn in another order than transactions end.
  xid xid8 not null default pg_current_xact_id(),
  id bigint generated always as identity,
  at timestamptz not null default now(),
  kind text not null check (kind in ('created', 'changed', 'removed')),
  -- Not `task_id`: what has that goes with the task, and this tells that it has gone.
  about_id uuid not null,
  version bigint not null,
  flow_name text not null,
  status text not null,
  parked boolean not null,
  waits smallint,
  parent_task_id uuid,
  schedule text,
  priority smallint not null,
  tags json,
  primary key (xid, id)
);
