/**
 * What the tool list costs a model, which reads all of it in every conversation.
 *
 * Sizes are characters of the JSON without white space, as `tools/list` has it.
 *
 * @module
 */

import { modernCall, subject } from "../../tests/fakes.ts";

/**
 * Characters per tool of Grafana's own MCP server, on average: of its version of 21 August 2026
 * (commit c6e492b), built and started with `-t stdio` and nothing else, `tools/list` has 68 tools
 * in 86,870 characters. It has no output schemas. The 29 tools that both have take 49,651 there.
 */
export const REFERENCE_AVERAGE = 1277;

/** A tool as the list has it. */
export interface ListedTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly annotations: { readonly readOnlyHint: boolean };
  readonly outputSchema: unknown;
}

/** The size of one tool. */
export interface ToolSize {
  readonly name: string;
  /** Without the output schema. */
  readonly bare: number;
  readonly whole: number;
}

/** Sizes per tool, on average. */
export interface ListSize {
  /** Without output schemas: comparable to {@linkcode REFERENCE_AVERAGE}. */
  readonly bare: number;
  readonly whole: number;
}

/** Asks the program for the tools of the Grafana pack. */
export async function grafanaTools(readOnly: boolean): Promise<readonly ListedTool[]> {
  const { app, send } = await subject({
    OAUTH_ENABLED: "off",
    GRAFANA_URL: "https://grafana.example",
    GRAFANA_SERVICE_ACCOUNT_TOKEN: "nobody-sees-it",
    MCP_READ_ONLY: readOnly ? "on" : "off",
  });
  const response = await send("/mcp", modernCall("tools/list"));
  const { result } = await response.json();
  await app.close();
  return result.tools.filter(({ name }: ListedTool) => name !== "whoami");
}

/** Measures tools one by one. */
export function sizesOf(tools: readonly ListedTool[]): ToolSize[] {
  return tools.map((tool) => {
    const { outputSchema: _, ...rest } = tool;
    return {
      name: tool.name,
      bare: JSON.stringify(rest).length,
      whole: JSON.stringify(tool).length,
    };
  });
}

/** Sizes per tool of the whole list. */
export function averageOf(sizes: readonly ToolSize[]): ListSize {
  const per = (size: (one: ToolSize) => number) =>
    sizes.reduce((total, one) => total + size(one), 0) / sizes.length;
  return { bare: per(({ bare }) => bare), whole: per(({ whole }) => whole) };
}
