import type { Flow } from "../../core/flow/flow.ts";
import type { OwnLimit } from "../../store/limit-store.ts";

/** The limits that flows declare. */
export function limitsOf(flows: readonly Flow[]): readonly OwnLimit[] {
  return flows.flatMap(({ name, limits }) => {
    if (!limits) return [];
    const { running, runningPerKey, rate, key } = limits;
    return [{ kind: "flow", name, running, runningPerKey, rate, isKeyed: key !== undefined } as const];
  });
}
