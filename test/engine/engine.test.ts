import { DATABASES } from "../support/databases.ts";
import { engineContract } from "./engine.contract.ts";

for (const [name, create] of DATABASES) engineContract(name, create);
