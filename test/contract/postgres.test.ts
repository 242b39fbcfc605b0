import { afterAll, beforeAll } from "bun:test";

import { type TestDatabase, testDatabase } from "../support/postgres.ts";
import { postgresPlace } from "./place.ts";
import { storeContract } from "./store.contract.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
}, 120_000);

afterAll(() => database.drop());

storeContract("postgres", () => postgresPlace(database.url));
