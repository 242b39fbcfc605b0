/**
 * What a command needs. `tasks`: it works on tasks, in a database or on a server. `database`: it works on the database
 * itself, and refuses an API address. `files`: it needs neither. `program`: it needs nothing, and ignores the
 * environment.
 */
export type CommandNeeds = "tasks" | "database" | "files" | "program";
