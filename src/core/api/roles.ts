// Who may do what. Each route names the permission that it needs, and each role the permissions that it has.

/** `look`: lists and overviews; `see`: one task whose id is known, flows; `create`: tasks; `operate`: whatever changes a task; `administer`: tokens and the like. */
export type Permission = "look" | "see" | "create" | "operate" | "administer";

export const ROLES = ["viewer", "submit", "operator", "admin"] as const;

export type Role = (typeof ROLES)[number];

const ALLOWED: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ["look", "see"],
  submit: ["see", "create"],
  operator: ["look", "see", "create", "operate"],
  admin: ["look", "see", "create", "operate", "administer"],
};

export function mayDo(role: Role, permission: Permission): boolean {
  return ALLOWED[role].includes(permission);
}

/** The roles that allow it, the least one first. */
export function rolesFor(permission: Permission): readonly Role[] {
  return ROLES.filter((role) => mayDo(role, permission));
}
