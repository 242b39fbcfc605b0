// The store as one simulated process has it: every method is a request to the simulated database and an answer, and
// either may be slow, overtake others, or get lost (S2 in `store.ts`: then nobody knows what was written).

import { TaskonautError } from "../../src/core/errors.ts";
import { DeathWatch } from "../../src/store/postgres/death-watch.ts";
import { NO_TURN, type Store } from "../../src/store/store.ts";
import type { AuditStore } from "../../src/store/audit-store.ts";
import { REMOVED_MAX } from "../../src/store/removal-store.ts";
import type { SessionStore } from "../../src/store/session-store.ts";
import type { TokenStore } from "../../src/store/token-store.ts";
import { workerNotRegistered } from "../../src/store/worker-not-registered.ts";
import type { Life } from "./life.ts";
import { listSimTasks, searchSimTasks } from "./sim-search.ts";
import type { World } from "./world.ts";

/** S3: who has heard nothing by then gives up. */
const DEADLINE_MS = 3000;

/** How long a lock must have been free, of a worker with nothing between it and the database. */
export const GRACE_MS = 400;

const unused = (): Promise<never> => Promise.reject(new Error("No simulation has tokens."));
const NO_TOKENS: TokenStore = {
  insert: unused,
  list: unused,
  read: unused,
  isAny: unused,
  rotate: unused,
  revoke: unused,
  noteUse: unused,
};

const noFigures = (): Promise<never> => Promise.reject(new Error("No simulation tells figures."));
const NO_FIGURES: Store["figures"] = { ofFlows: noFigures, ofTickets: noFigures, ofWorkers: noFigures };
const NO_COUNTERS: Store["counters"] = { write: noFigures, read: noFigures, fold: () => Promise.resolve() };
const NO_SESSIONS: SessionStore = { insert: unused, read: unused, noteUse: unused, remove: unused };
const NO_AUDIT: AuditStore = {
  list: unused,
  walk: unused,
  head: unused,
  findOld: unused,
  removeOld: unused,
};

/** Requests that are in the trace although they may change no task. */
const TOLD: ReadonlySet<string> = new Set([
  "registerWorker",
  "removeWorker",
  "forgetDeadWorkers",
  "releaseTasks",
  "removeTasks",
]);

/** Which process makes the write that is being made. */
export interface Writer {
  readonly life: Life;
  /** Ids under which it was a worker. */
  readonly workerIds: ReadonlySet<string>;
}

export function simStore(world: World, { life, workerIds }: { life: Life; workerIds: Set<string> }): Store {
  const { random, timeline, database, workers, schedules } = world;
  const me: Writer = { life, workerIds };
  const deaths = new DeathWatch();
  const delay = (): number => random.tail(0, world.weather.delayMsMax);

  /** `apply` is what the database does; `kind` is for the trace. */
  const request = <Result>(kind: string, apply: (now: number) => Result, isWrite = true): Promise<Result> =>
    new Promise((resolve, reject) => {
      if (life.isDead) return; // killed in the middle of a piece of code
      const { lostRequests, lostAnswers, lateRequests } = world.weather;
      const answer = (ms: number, tell: () => void): unknown => timeline.after(ms, () => life.reach(tell));
      const giveUp = (ms: number, why: string): unknown =>
        answer(ms, () => {
          if (isWrite || random.chance(0.1)) world.trace.note(`${life.name} ${kind}: ${why}`);
          reject(new TaskonautError("database_unavailable", `The simulated database cannot be reached: ${why}.`));
        });
      const arrive = (onResult: (result: Result) => void): void => {
        // what was on its way when its sender died may arrive, or not
        if (life.isDead && random.chance(0.5)) return;
        if (world.isAway) {
          giveUp(delay(), "it is away");
          return;
        }
        world.writer = me;
        try {
          if (TOLD.has(kind)) world.trace.note(`${life.name} ${kind}`);
          onResult(apply(world.storeNow()));
        } catch (error) {
          world.trace.note(`${life.name} ${kind}: ${String(error)}`);
          // a statement that the database refuses; the engine has no business sending one
          if (!(error instanceof TaskonautError)) world.trace.breach(`${life.name} ${kind}: ${String(error)}`);
          answer(delay(), () => reject(error));
        } finally {
          world.writer = undefined;
        }
      };
      if (random.chance(lostRequests)) giveUp(random.tail(1, DEADLINE_MS), "the request was lost");
      else if (isWrite && random.chance(lateRequests)) {
        const gaveUpAfter = random.tail(1, DEADLINE_MS);
        giveUp(gaveUpAfter, "no answer in time");
        timeline.after(gaveUpAfter + random.tail(1, DEADLINE_MS), () =>
          arrive(() => world.trace.note(`${life.name} ${kind}: arrived late`)),
        );
      } else {
        timeline.after(delay(), () =>
          arrive((result) => {
            if (random.chance(lostAnswers)) giveUp(random.tail(1, DEADLINE_MS), "the answer was lost");
            else answer(delay(), () => resolve(result));
          }),
        );
      }
    });
  const read = <Result>(kind: string, apply: (now: number) => Result): Promise<Result> => request(kind, apply, false);

  return {
    dialect: "sqlite",
    tokens: NO_TOKENS,
    audit: NO_AUDIT,
    sessions: NO_SESSIONS,
    location: "sim:",
    schedules: {
      list: (page) => read("list schedules", () => schedules.list(page)),
      read: (name) => read("read schedule", () => schedules.read(name)),
      readSkips: (name) => read("read skips", () => schedules.readSkips(name)),
      insert: (row) => request("insert schedule", () => schedules.insert(row)),
      remove: (name, version) => request("remove schedule", () => schedules.remove(name, version)),
      readDue: (flows) => read("read due schedules", (now) => schedules.readDue(flows, now)),
      fire: (firings) => request("fire schedules", () => schedules.fire(firings)),
      wakeQueued: (names) => request("wake schedules", (now) => schedules.wakeQueued(names, now)),
      listSources: () => read("list sources", () => schedules.listSources()),
      declare: (declaration) => request("declare schedules", () => schedules.declare(declaration)),
      confirm: (flows) => request("confirm schedules", (now) => schedules.confirm(flows, now)),
    },
    now: () => read("now", (now) => now),
    insertTasks: (records) => request("insertTasks", () => database.insertTasks(records)),
    commitChanges: (changes) => request("commitChanges", (now) => database.commitChanges(changes, now)),
    takeTurn: async () => NO_TURN,
    readTask: (id) => read("readTask", () => database.readTask(id)),
    readTaskRow: (id) => read("readTaskRow", () => database.readTask(id)?.task),
    readInbox: (id, query) => read("readInbox", () => database.readInbox(id, query)),
    postToTask: (post) => request("postToTask", (now) => database.postToTask(post, now)),
    postToTasks: (posts) => request("postToTasks", (now) => posts.map((post) => database.postToTask(post, now).kind)),
    listTasks: (page) => read("listTasks", () => listSimTasks(database, page)),
    noteProgress: async () => [], // no tool of a simulation tells any
    glance: (ids) => read("glance", () => ids.flatMap((id) => database.readTask(id)?.task ?? [])),
    searchTasks: (page) => read("searchTasks", () => searchSimTasks(database, page)),
    findTasks: () => Promise.reject(new Error("No simulation looks for tasks.")),
    claimTasks: (claim) =>
      request("claimTasks", (now) => {
        if (!workers.isRegistered(claim.workerId)) throw workerNotRegistered(claim.workerId);
        return database.claimTasks(claim, now);
      }),
    releaseTasks: (release) => request("releaseTasks", (now) => database.releaseTasks(release, now)),
    releaseOrphans: () =>
      request("releaseOrphans", (now) => database.releaseOrphans((owner) => workers.isRegistered(owner), now)),
    unparkTasks: (flows) => request("unparkTasks", (now) => database.unparkTasks(flows, now)),
    limits: {
      declare: (limits) => request("declare", () => database.limits.declare(limits)),
      take: (limit, asked) => request("take", (now) => database.limits.take(limit, asked, now)),
      giveBack: (limit, steps) => request("giveBack", (now) => database.limits.giveBack(limit, steps, now)),
      settle: () => request("settle", (now) => database.limits.settle(now, (id) => workers.hasLease(id, now))),
      // whoever asks for a task is told of no line
      list: () => read("list", () => []),
      set: () => Promise.reject(new Error("No simulation sets limits.")),
      reset: () => Promise.reject(new Error("No simulation sets limits.")),
      placeOfStep: () => read("placeOfStep", () => undefined),
      placeOfTask: () => read("placeOfTask", () => undefined),
    },
    announce: async () => (life.isDead ? undefined : world.announce(life)),
    async watch(onNews) {
      await read("watch", () => undefined);
      const stop = world.watch(life, onNews);
      return { kind: "notified", close: async () => stop() };
    },
    registerWorker: (worker) => {
      workerIds.add(worker.id);
      return request("registerWorker", (now) => {
        if (!life.isDead) workers.register(worker, { now, graceMs: random.chance(0.7) ? GRACE_MS : null });
      });
    },
    // no flow here takes any time
    noteCause: async () => {},
    renewWorker: (id, leaseMs) => request("renewWorker", (now) => workers.renew(id, leaseMs, now)),
    removeWorker: (id) =>
      request("removeWorker", (now) => {
        const isHolding = database.tasks.some(({ task }) => task.lease_owner === id);
        if (isHolding) workers.leave(id, now);
        else workers.remove(id);
      }),
    readWorkerState: (id) => read("readWorkerState", (now) => workers.stateOf(id, now)),
    findDeadWorkers: () =>
      read("findDeadWorkers", (now) => {
        const dead = deaths.look(workers.suspects(now), {
          passed: workers.findDead(now),
          session: world.sessionOf(life),
          now: timeline.now,
        });
        for (const suspect of dead) workers.endLease(suspect, now);
        return workers.findDead(now);
      }),
    forgetDeadWorkers: () => request("forgetDeadWorkers", (now) => workers.forgetDead(now)),
    listWorkers: () => read("listWorkers", (now) => workers.list(now)),
    counts: {
      read: () => Promise.reject(new Error("No simulation counts tasks.")),
      fold: () => Promise.resolve(),
    },
    figures: NO_FIGURES,
    counters: NO_COUNTERS,
    events: {
      listen: () => Promise.reject(new Error("In no simulation anybody listens.")),
      openReader: () => ({ read: () => Promise.reject(new Error("In no simulation anybody listens.")) }),
    },
    removal: {
      restMs: () => 5,
      portion: () => REMOVED_MAX,
      listEndedFlows: () => Promise.reject(new Error("No simulation purges.")),
      findEnded: (query) => read("findEnded", (now) => world.withoutAwaited(database.findEnded(query, now))),
      removeTasks: (removal) => request("removeTasks", (now) => database.removeTasks(removal, now)),
    },
    admission: {
      findOpen: (flow, key) => read("findOpen", () => database.findOpen(flow, key)),
      findExpired: (limit) => read("findExpired", (now) => database.findExpired(limit, now)),
    },
    pauses: {
      read: (id) => read("readPauses", () => ({ pauses: database.pauses, seen: workers.pausesSeen(id) })),
      put: (pause) => request("putPause", (now) => database.putPause(pause, now)),
      remove: (scope, name) => request("removePause", () => database.removePause(scope, name)),
      acknowledge: (id, seen) => request("acknowledgePauses", () => workers.acknowledgePauses(id, seen)),
      findUnaware: (id) => read("findUnaware", () => workers.unawareOf(id)),
    },
    checkReady: () => read("checkReady", () => undefined),
    close: async () => {
      for (const id of workerIds) workers.freeLock(id);
    },
  };
}
