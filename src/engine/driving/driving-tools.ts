import type { Store } from "../../store/store.ts";
import type { Audit } from "../doors/audit.ts";
import type { Flows } from "../task/flows.ts";
import type { DriverTools } from "../task/driver-tools.ts";
import type { DrivenTasks } from "./driven-tasks.ts";
import type { StoredTasks } from "./stored-tasks.ts";

/** The tools for driving tasks, for callers and for the worker. */
export interface DrivingTools extends DriverTools {
  readonly store: DriverTools["store"] & Pick<Store, "takeTurn" | "postToTask" | "admission">;
  readonly flows: Flows;
  /** What is written with people's changes. */
  readonly audit: Audit;
  readonly driven: DrivenTasks;
  readonly stored: StoredTasks;
}
