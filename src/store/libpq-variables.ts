// Takes what the URL of a PostgreSQL server does not say from libpq's environment variables, as psql does. They become
// parameters of the URL, which are checked like any others.
//
// Source: https://www.postgresql.org/docs/current/libpq-envars.html

type Environment = Readonly<Record<string, string | undefined>>;

/** The parts of the URL before its parameters. */
interface Said {
  readonly hosts: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** By parameter. libpq's other variables are ignored: their settings mean nothing here, or are not available. */
const VARIABLES = {
  application_name: "PGAPPNAME",
  connect_timeout: "PGCONNECT_TIMEOUT",
  dbname: "PGDATABASE",
  host: "PGHOST",
  hostaddr: "PGHOSTADDR",
  options: "PGOPTIONS",
  password: "PGPASSWORD",
  port: "PGPORT",
  sslcert: "PGSSLCERT",
  sslkey: "PGSSLKEY",
  sslmode: "PGSSLMODE",
  sslnegotiation: "PGSSLNEGOTIATION",
  sslrootcert: "PGSSLROOTCERT",
  target_session_attrs: "PGTARGETSESSIONATTRS",
  user: "PGUSER",
} as const;

/** The variable for a parameter, for messages. */
export function variableOf(parameter: string): string | undefined {
  return Object.entries(VARIABLES).find(([name]) => name === parameter)?.[1];
}

/** The parameters of the URL, plus those of the environment that the URL does not set. */
export function withVariables(query: string, said: Said, environment: Environment): string {
  const given = new URLSearchParams(query);
  const has = (name: string): boolean => (given.get(name) ?? "") !== "";
  const hasHost = said.hosts !== "" || has("host") || has("hostaddr");
  const isSaid: Partial<Record<string, boolean>> = {
    host: hasHost,
    hostaddr: hasHost,
    user: said.user !== "",
    password: said.password !== "",
    dbname: said.database !== "",
    sslmode: has("ssl"),
  };
  const more = new URLSearchParams();
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const value = environment[variable];
    if (value && !has(name) && isSaid[name] !== true) more.set(name, value);
  }
  // as written: a space does not become a + there
  return [query, more.toString().replaceAll("+", "%20")].filter(Boolean).join("&");
}
