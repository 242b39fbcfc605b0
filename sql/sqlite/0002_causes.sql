-- What may be the death of a worker's process, for nobody can put it down who dies of it.
-- The same as sql/postgres/0002_causes.sql.

-- What it does in one go, once that has taken long, as JSON: {"taskId", "stepId", "seconds"}. Null again when that is done.
alter table workers add column cause text;
