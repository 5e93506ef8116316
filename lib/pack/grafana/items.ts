import { z } from "zod";
export function items<T>(shape: z.ZodType<T>) {
  return z.array(z.unknown()).transform((all, context): T[] => {
    const read: T[] = [];
    for (const one of all) {
      const parsed = shape.safeParse(one);
      if (!parsed.success) {
        context.addIssue({ code: "custom", message: `item ${read.length} is not as expected` });
        return z.NEVER;
      }
      read.push(parsed.data);
    }
    return read;
  });
}
