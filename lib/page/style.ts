/**
 * How every page looks: one column, the system's own letters, one colour of their own, light or
 * dark as the person has it.
 *
 * @module
 */

/** The part of the style sheets that all pages share. */
export const BASE = `
:root {
  color-scheme: light dark;
  --ground: #f4f3ef;
  --sheet: #ffffff;
  --ink: #1d2321;
  --soft: #59625e;
  --line: #dcdbd4;
  --edge: #84908b;
  --accent: #17615a;
  --accent-over: #0f4a44;
  --on-accent: #ffffff;
  --warn: #fdf3dc;
  --warn-line: #d9a93f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #121615;
    --sheet: #1b201f;
    --ink: #e7eae8;
    --soft: #a3ada9;
    --line: #333b38;
    --edge: #75827d;
    --accent: #7fcabf;
    --accent-over: #a2dcd3;
    --on-accent: #0c2421;
    --warn: #2f2817;
    --warn-line: #b48a34;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0;
  background: var(--ground);
  color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere;
}
main {
  max-width: 34rem;
  margin: 0 auto;
  padding: 2rem 1.25rem;
  min-height: 100vh;
  background: var(--sheet);
}
@media (min-width: 38rem) {
  main {
    min-height: 0;
    margin: 4rem auto;
    padding: 2.5rem;
    border: 1px solid var(--line);
    border-radius: 1rem;
  }
}
h1 {
  margin: 0 0 .75rem;
  font-size: 1.625rem;
  font-weight: 650;
  line-height: 1.25;
  text-wrap: balance;
}
p { margin: 0 0 1rem; text-wrap: pretty; }
small { font-size: .875rem; color: var(--soft); }
code { font-family: ui-monospace, monospace; font-size: .9375em; }
/* A box of its own, so that no direction mark inside it reaches the words around it. */
bdi { display: inline-block; max-width: 100%; overflow: clip; vertical-align: bottom; }
dl { margin: 1.5rem 0; border-top: 1px solid var(--line); }
dl > div { padding: .75rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; }
dd small { display: block; }
button, .button {
  display: block;
  width: 100%;
  min-height: 3rem;
  padding: .6875rem 1rem;
  border: 1px solid var(--edge);
  border-radius: .625rem;
  background: transparent;
  color: var(--ink);
  font: inherit;
  font-weight: 600;
  text-align: center;
  text-decoration: none;
  overflow-wrap: anywhere;
  cursor: pointer;
}
button:hover, .button:hover { border-color: var(--ink); }
.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.main:hover { background: var(--accent-over); border-color: var(--accent-over); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
main > :first-child { margin-top: 0; }
main > :last-child { margin-bottom: 0; }
.note { color: var(--soft); font-size: .875rem; }
`;
