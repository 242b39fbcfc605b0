// Before any test file is loaded (bunfig.toml).

// What a developer's shell happens to hold must not reach the program under test.
for (const name of Object.keys(process.env)) {
  if (/^(DATABASE_URL|LOG_LEVEL|LOG_STYLE|NO_COLOR|FORCE_COLOR|XDG_DATA_HOME|TASKONAUT_.*)$/.test(name)) {
    delete process.env[name];
  }
}
