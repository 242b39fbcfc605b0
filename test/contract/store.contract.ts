// What every store must hold to, whatever lies beneath. One suite, called for both dialects.

import { changeContract } from "./changes.contract.ts";
import { counterContract } from "./counters.contract.ts";
import { figureContract } from "./figures.contract.ts";
import { eventContract } from "./events.contract.ts";
import { limitsContract } from "./limits.contract.ts";
import { migrationContract } from "./migrations.contract.ts";
import type { Places } from "./place.ts";
import { pauseContract } from "./pauses.contract.ts";
import { queueContract } from "./queue.contract.ts";
import { postsContract } from "./posts.contract.ts";
import { removalContract } from "./removal.contract.ts";
import { countContract } from "./counts.contract.ts";
import { searchContract } from "./search.contract.ts";
import { scheduleContract } from "./schedules.contract.ts";
import { sizeContract } from "./sizes.contract.ts";
import { taskContract } from "./tasks.contract.ts";
import { ticketContract } from "./tickets.contract.ts";
import { auditRemovalContract } from "./audit-removal.contract.ts";
import { auditContract } from "./audit.contract.ts";
import { sessionsContract } from "./sessions.contract.ts";
import { tokensContract } from "./tokens.contract.ts";
import { workerContract } from "./workers.contract.ts";

/** Every test has a place of its own. */
export function storeContract(dialect: string, places: Places): void {
  const create = (): ReturnType<Places["migrated"]> => places.migrated();
  taskContract(dialect, create);
  changeContract(dialect, create);
  queueContract(dialect, create);
  limitsContract(dialect, create);
  postsContract(dialect, create);
  removalContract(dialect, create);
  searchContract(dialect, create);
  countContract(dialect, create);
  figureContract(dialect, create);
  counterContract(dialect, create);
  eventContract(dialect, create);
  sizeContract(dialect, create);
  ticketContract(dialect, create);
  auditContract(dialect, create);
  auditRemovalContract(dialect, create);
  sessionsContract(dialect, create);
  tokensContract(dialect, create);
  workerContract(dialect, create);
  pauseContract(dialect, create);
  scheduleContract(dialect, create);
  migrationContract(dialect, () => places.empty());
}
