// Takes what the URL of a PostgreSQL server does not say from libpq's environment variables, as psql does. They become
// parameters of the URL, which are checked like any others.
//
// Source: https://www.postgresql.org/docs/current/libpq-envars.html

type Environment = Readonly<Record<string, string | undefined>>;

/** What the URL says before its parameters. */
interface Said {
  readonly hosts: string;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** By parameter. What others of libpq's variables ask for is passed over: it is of no meaning here, or cannot be had. */
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

/** The variable that stands for a parameter, for messages. */
export function variableOf(parameter: string): string | undefined {
  return Object.entries(VARIABLES).find(([name]) => name === parameter)?.[1];
}

/** The parameters of the URL, with those of the environment that it says nothing of. */
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
  // as they were written: a space is no + there
  return [query, more.toString().replaceAll("+", "%20")].filter(Boolean).join("&");
}
