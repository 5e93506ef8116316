import { deepStrictEqual as deepEqual, match } from "node:assert/strict";
import { user } from "../../../lib/pack/grafana/user.ts";
import { callTool } from "./grafana.ts";

// `GET /api/user` and `GET /api/user/orgs`, as Grafana's documentation shows them.
const ME = {
  id: 1,
  email: "alice@example.com",
  name: "Alice",
  login: "alice",
  theme: "light",
  orgId: 2,
  isGrafanaAdmin: false,
  isDisabled: false,
  isExternal: true,
  authLabels: ["JWT"],
};
const ORGS = [{ orgId: 1, name: "Main Org.", role: "Viewer" }, {
  orgId: 2,
  name: "Acme",
  role: "Editor",
}];

Deno.test("get_current_user() tells as whom the caller acts, with the role in the organization they are in", async () => {
  const { value } = await callTool(user, "get_current_user", {}, {
    "GET /api/user": ME,
    "GET /api/user/orgs": ORGS,
  });
  deepEqual(value, {
    login: "alice",
    name: "Alice",
    email: "alice@example.com",
    orgId: 2,
    orgName: "Acme",
    role: "Editor",
    isServerAdmin: false,
  });
});

Deno.test("get_current_user() tells no role that it does not know", async () => {
  const { value } = await callTool(user, "get_current_user", {}, {
    "GET /api/user": { login: "sa-1" },
    "GET /api/user/orgs": [],
  });
  deepEqual(value, { login: "sa-1" });
});

Deno.test("get_current_user() says that Grafana does not know the caller", async () => {
  const refusal = Response.json({ message: "Invalid JWT" }, { status: 401 });
  const { told } = await callTool(user, "get_current_user", {}, { "GET /api/user": refusal });
  match(told!, /does not accept who you are.*Grafana says: Invalid JWT$/);
});
