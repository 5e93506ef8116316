import { issuerSuite } from "../suites/issuer.ts";
import { vectorSuite } from "../suites/vectors.ts";
import vectors from "../vectors/azure.json" with { type: "json" };

const TENANT = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";

issuerSuite({
  name: "azure",
  env: {
    OAUTH_PROVIDER: "azure",
    OIDC_ISSUER: `https://login.microsoftonline.com/${TENANT}/v2.0`,
    OIDC_AUDIENCE: "6e74172b-be56-4843-9ff4-e66a39bb12e3",
  },
  header: { typ: "JWT" },
  claims: { tid: TENANT, azp: "75dbe77f-10a3-4e59-85fd-8c127544f17c", ver: "2.0", scp: "a b" },
});

vectorSuite(vectors);
