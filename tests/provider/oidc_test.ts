import { ISSUER } from "../idp.ts";
import { issuerSuite } from "../suites/issuer.ts";
import { vectorSuite } from "../suites/vectors.ts";
import vectors from "../vectors/oidc.json" with { type: "json" };

issuerSuite({
  name: "oidc",
  env: { OAUTH_PROVIDER: "oidc", OIDC_ISSUER: ISSUER },
  claims: { client_id: "s6BhdRkqt3", scope: "mcp:read" },
});

issuerSuite({
  name: "oidc with introspection",
  env: {
    OAUTH_PROVIDER: "oidc",
    OIDC_ISSUER: ISSUER,
    OIDC_CLIENT_ID: "gatehouse",
    OIDC_CLIENT_SECRET: "its secret",
  },
  claims: { client_id: "s6BhdRkqt3", scope: "mcp:read" },
  // The issuer names no endpoint for asking, so that nothing can be asked.
  reasons: {
    "a key that is not published": "inactive",
    "alg none without a signature": "inactive",
  },
});

vectorSuite(vectors);
