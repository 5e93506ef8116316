/**
 * The page at `/` as markup.
 *
 * @module
 */

import { type Html, html, linkTo, type Part } from "../page/html.ts";
import { type Recipe, recipes, type Snippet, type Step } from "./clients.ts";
import { type Facts, loginWords, registrationWords, toolWords } from "./facts.ts";

/** The body of the page. */
export function body(facts: Facts): Html {
  const { title, version, endpoint, login } = facts;
  const registration = registrationWords(login);
  const asYou = login.kind === "none" ? "" : " as you";
  return html`
    <header>
      <h1>${title}</h1>
      <p>An MCP server: AI apps connect to it and use its tools${asYou}. Version ${version}.</p>
    </header>
    <h2>Endpoint</h2>
    ${box({ what: "the URL of the endpoint", text: endpoint.href })}
    <dl>
      <div>
        <dt>Login</dt>
        <dd>${loginWords(login)}</dd>
      </div>
      <div>
        <dt>Tools</dt>
        <dd>${toolWords(facts)}</dd>
      </div>
    </dl>
    <h2>Connect</h2>
    ${registration && html`<p>${registration}</p>`}
    ${recipes(facts).map(recipe)}
    <p role="status"></p>
  `;
}

function recipe({ client, steps }: Recipe, index: number): Html {
  const start = index === 0 ? html`<details name="client" open>` : html`<details name="client">`;
  return html`${start}
    <summary>${client}</summary>
    <div class="steps">${steps.map((one) => step(one, ` for ${client}`))}</div>
  </details>`;
}

function step(one: Step, client: string): Html {
  if (typeof one === "string") return html`<p>${words(one)}</p>`;
  return "url" in one
    ? html`<a class="button" href="${linkTo(one.url)}">${one.label}</a>`
    : box(one, client);
}

// What is typed as it is stands between backticks.
function words(text: string): Part[] {
  return text.split("`").map((part, index) => index % 2 === 1 ? html`<code>${part}</code>` : part);
}

// A script shows the button, which does nothing without one.
function box({ what, text, file }: Snippet, client = ""): Html {
  return html`
    ${file && html`<p class="file">${file}</p>`}
    <div class="snippet">
      <pre><code>${text}</code></pre>
      <button class="copy" type="button" hidden aria-label="Copy ${what}${client}">Copy</button>
    </div>
  `;
}
