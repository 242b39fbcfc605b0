// Which `finally` blocks of a branch are under way: while there is one the branch cannot be given up. A suspended generator
// does not tell where it stands, so the blocks themselves do: the loader marks them (`flows/mark-finally.ts`), and a mark
// is told here when the flow's own code passes it. So it follows from the code and the record, on replay as well.

import { currentScope } from "./determinism.ts";

/** A `finally` block begins, in whatever branch runs now. Gives what is to be called once when it ends, however it does. */
export function enterFinally(): () => void {
  const shield = currentScope()?.shield;
  if (!shield) return () => {}; // of a tool, or of what is loaded
  shield.depth += 1;
  return () => {
    shield.depth -= 1;
  };
}
