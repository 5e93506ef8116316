/**
 * Prompts of packs: how they are described, and how they are made.
 *
 * @module
 */

import {
  type GetPromptResult,
  type PromptArgument,
  ProtocolError,
  ProtocolErrorCode,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { Meter } from "../meter.ts";
import type { Prompt } from "../pack.ts";
import { byName } from "./names.ts";
import { valueOf, type Work } from "./work.ts";

/** What `prompts/get` is given. Whether arguments are texts is for the prompt's own schema to say. */
export const GET_PARAMS = z.object({
  name: z.string(),
  arguments: z.record(z.string(), z.unknown()).optional(),
});

/**
 * Prepares prompts.
 *
 * @throws {TypeError} When two share a name, or one has a name that clients do not take.
 */
export function promptHandlers(all: readonly Prompt[], work: Work, meter: Meter) {
  const prompts = byName("prompt", all);
  return {
    list: {
      prompts: all.map(({ name, title, description, input }) => ({
        name,
        title,
        description,
        arguments: argumentsOf(input),
      })),
    },
    async get(
      params: z.infer<typeof GET_PARAMS>,
      context: ServerContext,
    ): Promise<GetPromptResult> {
      const prompt = prompts.get(params.name);
      if (!prompt) {
        meter.called("prompt", params.name, "unknown");
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Unknown prompt");
      }
      const given = { input: prompt.input, args: params.arguments ?? {}, context };
      const outcome = await work(
        { kind: "prompt", name: prompt.name },
        given,
        async (...all) => await prompt.write(...all),
      );
      // The user's: some models take no conversation that begins with words of their own.
      const message = { role: "user", content: { type: "text", text: valueOf(outcome) } } as const;
      return { description: prompt.description, messages: [message] };
    },
  };
}

function argumentsOf(input: z.ZodObject): PromptArgument[] {
  const { properties = {}, required = [] } = z.toJSONSchema(input, { io: "input" });
  return Object.entries(properties).map(([name, schema]) => {
    const { description } = schema as { description?: string };
    return {
      name,
      ...(description !== undefined && { description }),
      required: required.includes(name),
    };
  });
}
