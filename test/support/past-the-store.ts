import { Database } from "bun:sqlite";
import postgres from "postgres";

/** Runs SQL past the store, and past what the tables would refuse. */
export async function execute(
  url: string,
  { sqlite, postgresql }: { sqlite: string; postgresql?: string },
): Promise<void> {
  if (url.startsWith("sqlite:")) {
    const database = new Database(url.slice("sqlite:".length));
    database.run("pragma ignore_check_constraints = on");
    database.run(sqlite);
    database.close();
    return;
  }
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql.unsafe(`set search_path to taskonaut; ${postgresql ?? sqlite}`);
  await sql.end();
}
