/**
 * How the page at `/` looks: as every page does, wider, with boxes to copy from and a list that
 * opens.
 *
 * @module
 */

import { BASE } from "../page/style.ts";

/** The style sheet. */
export const STYLE = `${BASE}
:root { --well: #f6f5f1; }
@media (prefers-color-scheme: dark) {
  :root { --well: #131716; }
}
@media (min-width: 38rem) {
  main { max-width: min(46rem, 100% - 3rem); padding: 3rem; }
}
h1 { margin: 0; font-size: 2rem; letter-spacing: -.015em; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.125rem; font-weight: 650; line-height: 1.3; }
header p { margin: .375rem 0 0; color: var(--soft); }
dl > div { display: grid; gap: 0 1.5rem; }
@media (min-width: 38rem) {
  dl > div { grid-template-columns: 6rem 1fr; align-items: baseline; }
}
.snippet {
  display: flex;
  flex-direction: column;
  margin: 0 0 1rem;
  border: 1px solid var(--line);
  border-radius: .625rem;
  background: var(--well);
}
pre {
  flex: 1;
  min-width: 0;
  margin: 0;
  padding: .8125rem 1rem;
  white-space: pre-wrap;
  overflow-wrap: anywhere;
  font: .875rem/1.5 ui-monospace, monospace;
}
pre code { font: inherit; }
.copy {
  flex: none;
  min-height: 2.75rem;
  padding: .25rem .75rem;
  border: solid var(--line);
  border-width: 1px 0 0;
  border-radius: 0 0 .5625rem .5625rem;
  color: var(--accent);
  font-size: .875rem;
}
.copy:hover { border-color: var(--line); background: var(--line); color: var(--ink); }
@media (min-width: 38rem) {
  .snippet { flex-direction: row; align-items: start; }
  .copy { width: 5.5rem; margin: .1875rem; border: 0; border-radius: .4375rem; }
}
.file { margin: 0 0 .375rem; color: var(--soft); font-size: .875rem; }
details { border-bottom: 1px solid var(--line); }
h2 + p + details, h2 + details { border-top: 1px solid var(--line); }
summary {
  display: flex;
  align-items: center;
  justify-content: space-between;
  min-height: 3.25rem;
  font-weight: 600;
  cursor: pointer;
  list-style: none;
}
summary::-webkit-details-marker { display: none; }
summary::after {
  content: "";
  width: .5rem;
  height: .5rem;
  margin: 0 .375rem;
  border: solid var(--soft);
  border-width: 0 2px 2px 0;
  transform: translateY(-25%) rotate(45deg);
}
[open] > summary::after { transform: translateY(25%) rotate(-135deg); }
summary:hover { color: var(--accent); }
.steps { padding: .25rem 0 .75rem; }
.steps .button { width: fit-content; min-width: 11rem; margin: 0 0 1rem; padding-inline: 1.5rem; }
[role=status] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
[hidden] { display: none; }
`;
