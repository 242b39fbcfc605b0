// One task, many callers in many processes at once: each transition is made once, and everybody is answered.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Task } from "../../src/core/api/task.ts";
import { DIALECTS, openPlace, type Place } from "./place.ts";
import { expectCompleted, taskOf } from "./tasks.ts";

setDefaultTimeout(120_000);

/** Every change of a task's status as the database itself saw it. */
const WITNESS = {
  sqlite: [
    "create table seen (number integer primary key, task_id text, status text)",
    `create trigger witness after update of status on tasks when new.status <> old.status
     begin insert into seen (task_id, status) values (new.id, new.status); end`,
  ],
  postgres: [
    `create table seen (number serial primary key, task_id uuid, status text);
     create function witness() returns trigger language plpgsql as $$
       begin insert into taskonaut.seen (task_id, status) values (new.id, new.status); return new; end
     $$;
     create trigger witness after update on tasks for each row when (new.status <> old.status)
       execute function witness()`,
  ],
};

const LIFE = ["RUNNING", "WAITING_OBSERVATION", "RUNNING", "WAITING_OBSERVATION", "COMPLETED"];

async function installWitness(place: Place): Promise<void> {
  for (const statement of WITNESS[place.dialect]) await place.query(statement);
}

async function seenLife(place: Place): Promise<string[]> {
  const rows = await place.query<{ status: string }>("select status from seen order by number");
  return rows.map(({ status }) => status);
}

/** How many callers were told of each state. */
function countAnswers(tasks: readonly Task[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, current_step } of tasks) {
    const state = `${status} ${current_step}`;
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Of 50 callers: exactly one per transition, and all who came after the last one were told the end. */
const FIFTY_ANSWERS = {
  "RUNNING 0": 1,
  "WAITING_OBSERVATION 1": 1,
  "RUNNING 1": 1,
  "WAITING_OBSERVATION 2": 1,
  "COMPLETED 2": 46,
};

describe.each(DIALECTS)("%s", (dialect) => {
  test("50 calls of advance-task from 10 processes at a time make 5 transitions", async () => {
    await using place = await openPlace(dialect);
    await installWitness(place);
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const answers: Task[] = [];
    let ended = 0;
    const callInTurn = async (): Promise<void> => {
      for (let round = 0; round < 5; round++) {
        const result = await place.run(["advance-task", id, "--log-level", "info"]);
        ended += result.stderr.split('"task ended"').length - 1;
        answers.push(taskOf(result));
      }
    };
    await Promise.all(Array.from({ length: 10 }, callInTurn));
    expect(countAnswers(answers)).toEqual(FIFTY_ANSWERS);
    expect(await seenLife(place)).toEqual(LIFE);
    expect(ended).toBe(1);
    expectCompleted(taskOf(await place.run(["get-task", id])));
  });

  test("50 requests to advance, to two servers on one database, make 5 transitions", async () => {
    await using place = await openPlace(dialect);
    await installWitness(place);
    const servers = await Promise.all([place.serve(), place.serve()]);
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const responses = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        fetch(`${servers[index % 2]?.url}/tasks/${id}/advance`, { method: "POST" }),
      ),
    );
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]));
    const answers = await Promise.all(responses.map((response) => response.json() as Promise<Task>));
    expect(countAnswers(answers)).toEqual(FIFTY_ANSWERS);
    expect(await seenLife(place)).toEqual(LIFE);
    const logs = (await Promise.all(servers.map((server) => server.stop()))).map(({ stderr }) => stderr).join("");
    expect(logs.split('"task ended"').length - 1).toBe(1);
    expectCompleted(taskOf(await place.run(["get-task", id])));
  });

  test("16 runs of one task, from 8 processes and to 2 servers, all hear that it is COMPLETED", async () => {
    await using place = await openPlace(dialect);
    const servers = await Promise.all([place.serve(), place.serve()]);
    const { id } = taskOf(await place.run(["run-flow", "--mode", "create"]));
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, async () => taskOf(await place.run(["run-task", id]))),
      ...Array.from({ length: 8 }, async (_, index) => {
        const response = await fetch(`${servers[index % 2]?.url}/tasks/${id}/run`, { method: "POST" });
        expect(response.status).toBe(200);
        return (await response.json()) as Task;
      }),
    ]);
    for (const task of answers) expectCompleted(task);
  });

  test("many run their own tasks at once, and none gets in another's way", async () => {
    await using place = await openPlace(dialect);
    const ended = await Promise.all(
      Array.from({ length: 12 }, (_, index) => place.run(["run-flow", "--text", `caller ${index}`])),
    );
    ended.forEach((result, index) => {
      expectCompleted(taskOf(result), { echo: { text: `caller ${index}` }, add: { sum: 3 } });
    });
  });
});
