// Tokens over HTTP, for admins.

import * as v from "valibot";
import { ROLES } from "../core/api/roles.ts";
import { NewTokenAnswer, TokenAnswer, TokensAnswer } from "../core/api/token-answers.ts";
import { tellWrongDuration } from "../core/flow/duration.ts";
import { toMs } from "../core/record/duration.ts";
import { NO_BODY, NoBody } from "./about.ts";
import { readJsonBody, requireJsonBody } from "./body.ts";
import { check } from "./check.ts";
import { param, type Route, type RouteOptions } from "./route.ts";

const DurationText = v.pipe(
  v.string(),
  v.check(
    (text) => toMs(text) !== undefined,
    ({ input }) => tellWrongDuration(input),
  ),
  v.transform((text) => toMs(text) ?? 0),
);

const CreateBody = v.strictObject({
  name: v.string(),
  role: v.picklist(ROLES),
  flows: v.optional(v.array(v.string())),
  hides_payloads: v.optional(v.boolean(), false),
  expires_in: v.optional(DurationText),
});

const RotateBody = v.strictObject({ grace: v.optional(DurationText, "1h") });

export function tokenRoutes({ taskonaut: { tokens }, maxBodyBytes }: RouteOptions): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/tokens",
      needs: "administer",
      about: { summary: "Lists the tokens", answers: { 200: TokensAnswer } },
      handle: async (c) => c.json(await tokens.list()),
    },
    {
      method: "POST",
      path: "/tokens",
      needs: "administer",
      about: {
        summary: "Makes a token",
        more: "Its secret is in this answer only.",
        body: CreateBody,
        answers: { 201: NewTokenAnswer },
      },
      handle: async (c) => {
        const body = check(CreateBody, await requireJsonBody(c.req.raw, maxBodyBytes));
        const { token, secret, warnings } = await tokens.create({
          name: body.name,
          role: body.role,
          hidesPayloads: body.hides_payloads,
          ...(body.flows && { flows: body.flows }),
          ...(body.expires_in !== undefined && { expiresInMs: body.expires_in }),
        });
        c.header("Cache-Control", "no-store");
        return c.json({ ...token, secret, warnings }, 201);
      },
    },
    {
      method: "POST",
      path: "/tokens/:token/rotate",
      needs: "administer",
      about: {
        summary: "Gives a token another secret",
        more: "The one before is taken for the time of grace: an hour, unless the body says otherwise.",
        body: RotateBody,
        isBodyOptional: true,
        answers: { 200: NewTokenAnswer },
        errors: ["token_not_found", "token_not_active"],
        destroys: true,
      },
      handle: async (c) => {
        const { grace } = check(RotateBody, (await readJsonBody(c.req.raw, maxBodyBytes)) ?? {});
        const { token, secret, warnings } = await tokens.rotate(param(c, "token"), grace);
        c.header("Cache-Control", "no-store");
        return c.json({ ...token, secret, warnings });
      },
    },
    {
      method: "POST",
      path: "/tokens/:token/revoke",
      needs: "administer",
      about: {
        summary: "Revokes a token",
        ...NO_BODY,
        answers: { 200: TokenAnswer },
        errors: ["token_not_found"],
        destroys: true,
      },
      handle: async (c) => {
        check(NoBody, (await readJsonBody(c.req.raw, maxBodyBytes)) ?? {});
        return c.json(await tokens.revoke(param(c, "token")));
      },
    },
  ];
}
