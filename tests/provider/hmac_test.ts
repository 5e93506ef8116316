import { providerOf } from "../../lib/providers.ts";
import { CLAIMS, fakePorts, sign, testConfig } from "../fakes.ts";
import { providerSuite } from "../suites/provider.ts";

providerSuite({
  name: "hmac",
  make: async () => {
    const { http, oauth } = testConfig();
    return {
      provider: await providerOf(oauth!, http.publicUrl, fakePorts()),
      claims: CLAIMS,
      sign,
      forge: () => sign({}, {}, "another secret of at least thirty-two bytes"),
    };
  },
  exempt: {
    "refuses HS256 with the public key for a secret": "It has no public key",
    "refuses a key that is not published": "It has one secret, whatever the header calls it",
    "rejects while it cannot judge, and does not refuse": "It needs nobody to judge",
  },
});
