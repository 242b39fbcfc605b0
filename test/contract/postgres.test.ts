import { POSTGRES } from "./place.ts";
import { storeContract } from "./store.contract.ts";

storeContract("postgres", POSTGRES);
