-- What has to be known of a task for it to be sound, whatever happens to its processes and its code.
-- The same as sql/sqlite/0004_sound.sql.

-- The guarantee of the step's tool when it was decided: it stands, whatever the code says later. Null: the step has no
-- tool, or was recorded before this column was there.
alter table task_steps add column execution text
  check (execution is null or (kind = 'tool' and execution in ('pure', 'at-least-once', 'at-most-once')));

-- Its process: whoever is on the same machine can see whether it is still there.
alter table workers add column process text not null default '';
-- How long its lock must have been free before others than those take it for dead. Null: its lease alone tells, because
-- something between it and the server may close its connection while it lives, or hand statements to other sessions.
-- Not in SQLite: all who have the file are on its machine.
alter table workers add column grace_ms integer check (grace_ms > 0);
-- squawk-ignore ban-drop-column
alter table workers drop column locks;

-- What a cancel by force left behind; null: the task was not cancelled by force.
alter table tasks add column left_undone json check (left_undone is null or status = 'CANCELLED');

-- Of the flow's code that drove the task last: all that is recorded is what this code decides. Null: a flow that comes
-- with the program, or a task from before.
alter table tasks add column flow_code text;

-- JSON texts that are too long for a row. The column in the row holds a reference instead, which begins with a space, as
-- no recorded JSON does, and is JSON itself: ` "<key>:<characters>"`. So a row is small, and is read without them; and
-- what is the same within a task has the same key and is kept once.
create table payloads (
  task_id uuid not null references tasks (id) on delete cascade,
  key text not null,
  text text not null,
  primary key (task_id, key)
);

-- About what the task's record takes: its JSON texts, and a share for each step.
alter table tasks add column recorded_bytes bigint not null default 0 check (recorded_bytes >= 0);

-- Of how many processes in a row it was the cause: each was killed for what it did for this task, which has not come any
-- further since.
alter table tasks add column deaths integer not null default 0 check (deaths >= 0);

-- What waits in an inbox is found however much was dealt with before, and however many signals nobody wants.
-- squawk-ignore require-concurrent-index-creation
create index task_inbox_unread on task_inbox (task_id, name, seq) where consumed_at is null;
