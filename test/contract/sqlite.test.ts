import { SQLITE } from "./place.ts";
import { storeContract } from "./store.contract.ts";

storeContract("sqlite", SQLITE);
