import { issuerSuite } from "../suites/issuer.ts";
import { vectorSuite } from "../suites/vectors.ts";
import vectors from "../vectors/keycloak.json" with { type: "json" };

issuerSuite({
  name: "keycloak",
  env: { OAUTH_PROVIDER: "keycloak", OIDC_ISSUER: "https://keycloak.example/realms/acme" },
  header: { typ: "JWT" },
  claims: { typ: "Bearer", azp: "claude-code", realm_access: { roles: ["admin"] } },
  // An access token of an older release has a nonce too: `typ` in the payload is what tells.
  idToken: { typ: "ID" },
  reasons: { "an ID token": "use" },
});

vectorSuite(vectors);
