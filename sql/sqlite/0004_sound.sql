-- What has to be known of a task for it to be sound, whatever happens to its processes and its code.
-- The same as sql/postgres/0004_sound.sql.

-- The guarantee of the step's tool when it was decided: it stands, whatever the code says later. Null: the step has no
-- tool, or was recorded before this column was there.
alter table task_steps add column execution text check (
  execution is null
  or (kind = 'tool' and (execution = 'pure' or execution = 'at-least-once' or execution = 'at-most-once'))
);

-- Its process: whoever is on the same machine can see whether it is still there.
alter table workers add column process text not null default '';

-- What a cancel by force left behind; null: the task was not cancelled by force.
alter table tasks add column left_undone text check (left_undone is null or status = 'CANCELLED');

-- Of the flow's code that drove the task last: all that is recorded is what this code decides. Null: a flow that comes
-- with the program, or a task from before.
alter table tasks add column flow_code text;

-- JSON texts that are too long for a row: a search through a table without rowid reads every row that it passes, whole,
-- and every update writes a row anew. The column in the row holds a reference instead, which begins with a space, as no
-- recorded JSON does, and is JSON itself: ` "<key>:<characters>"`. What is the same within a task has the same key.
create table payloads (
  task_id text not null references tasks (id) on delete cascade,
  key text not null,
  text text not null,
  unique (task_id, key)
) strict;

-- About what the task's record takes: its JSON texts, and a share for each step.
alter table tasks add column recorded_bytes integer not null default 0 check (recorded_bytes >= 0);

-- Of how many processes in a row it was the cause: each was killed for what it did for this task, which has not come any
-- further since.
alter table tasks add column deaths integer not null default 0 check (deaths >= 0);

-- What waits in an inbox is found however much was dealt with before, and however many signals nobody wants.
create index task_inbox_unread on task_inbox (task_id, name, seq) where consumed_at is null;
