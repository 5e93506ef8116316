/**
 * Records as callers see them: every part is bounded, so that one of any size can be shown.
 *
 * @module
 */

import { z } from "zod";
import { fitting } from "../cut.ts";
import type { Header, KafkaRecord } from "./cluster.ts";
import { encoded, encoding } from "./encoding.ts";
import { isoTime } from "./instant.ts";
import { offsetNumber } from "./offset.ts";

/** Most bytes of a value that a caller may ask for. */
export const MAX_VALUE_BYTES = 50_000;

const MAX_KEY_BYTES = 4096;
const MAX_HEADER_BYTES = 1024;
const MAX_HEADER_NAME = 256;
const MAX_HEADERS_LENGTH = 20_000;

const bytes = z.number().optional();

/** Shape of a message. */
export const message = z.object({
  topic: z.string(),
  partition: z.number(),
  offset: z.number(),
  timestamp: z.string().optional(),
  key: z.string().nullable(),
  key_encoding: encoding.optional(),
  key_truncated: z.literal(true).optional(),
  key_bytes: bytes,
  value: z.string().nullable(),
  value_encoding: encoding.optional(),
  value_truncated: z.literal(true).optional(),
  value_bytes: bytes.describe("Full size of a truncated value"),
  headers: z.array(z.object({
    name: z.string(),
    value: z.string().nullable(),
    encoding: encoding.optional(),
    truncated: z.literal(true).optional(),
    bytes,
  })).optional(),
  headers_truncated: z.string().optional(),
});

/** See {@linkcode message}. */
export type Message = z.infer<typeof message>;

/** Shows a record. @param maxValueBytes What is shown of the value. */
export function messageOf(record: KafkaRecord, maxValueBytes: number): Message {
  const key = record.key && encoded(record.key, MAX_KEY_BYTES);
  const value = record.value && encoded(record.value, maxValueBytes);
  const { items: headers } = fitting(record.headers.map(headerOf), "", MAX_HEADERS_LENGTH);
  const { headerCount = record.headers.length } = record;
  const left = headerCount - headers.length;
  return {
    topic: record.topic,
    partition: record.partition,
    offset: offsetNumber(record.offset),
    ...isoTime(record.timestampMs),
    key: key?.text ?? null,
    ...(key && { key_encoding: key.encoding }),
    ...(key?.cutFrom !== undefined && { key_truncated: true, key_bytes: key.cutFrom }),
    value: value?.text ?? null,
    ...(value && { value_encoding: value.encoding }),
    ...(value?.cutFrom !== undefined && { value_truncated: true, value_bytes: value.cutFrom }),
    ...(headers.length > 0 && { headers }),
    ...(left > 0 && {
      headers_truncated: `${left} of ${headerCount} left out: they are too long`,
    }),
  };
}

function headerOf({ name, value: bytes }: Header): NonNullable<Message["headers"]>[number] {
  const value = bytes && encoded(bytes, MAX_HEADER_BYTES);
  const isCut = name.length > MAX_HEADER_NAME || value?.cutFrom !== undefined;
  return {
    // Halves of characters are no text.
    name: name.slice(0, MAX_HEADER_NAME).toWellFormed(),
    value: value?.text ?? null,
    ...(value && { encoding: value.encoding }),
    ...(isCut && { truncated: true }),
    ...(value?.cutFrom !== undefined && { bytes: value.cutFrom }),
  };
}
