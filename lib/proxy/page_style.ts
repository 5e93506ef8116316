/**
 * How the pages of proxy mode look: as every page does, and what forms and claims need besides.
 *
 * @module
 */

import { BASE } from "../page/style.ts";

/** The style sheet. */
export const STYLE = `${BASE}
/* What a client says of itself, told apart from the words of this server. */
.claim { color: var(--accent); }
.host { font-size: 1.125rem; }
ul { margin: 0; padding-left: 1.25rem; }
li { margin: .25rem 0; }
form { display: grid; gap: .75rem; margin: 1.5rem 0; }
.person { text-align: left; }
.person small { display: block; font-weight: 400; }
.warning {
  margin: 1.5rem 0;
  padding: .875rem 1rem;
  border: 1px solid var(--warn-line);
  border-radius: .625rem;
  background: var(--warn);
}
`;
