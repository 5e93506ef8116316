import { issuerSuite } from "../suites/issuer.ts";
import { vectorSuite } from "../suites/vectors.ts";
import vectors from "../vectors/okta.json" with { type: "json" };

issuerSuite({
  name: "okta",
  env: {
    OAUTH_PROVIDER: "okta",
    OIDC_ISSUER: "https://acme.okta.com/oauth2/default",
    OIDC_AUDIENCE: "api://default",
  },
  header: { typ: undefined },
  claims: { ver: 1, cid: "0oab8om4bars6Y80Z4x7", scp: ["mcp:read"], groups: ["Everyone"] },
});

vectorSuite(vectors);
