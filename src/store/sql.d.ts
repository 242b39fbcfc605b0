// A migration is imported as text, so that the binary carries it: `import sql from "….sql" with { type: "text" }`.
declare module "*.sql" {
  const text: string;
  export default text;
}
