/**
 * The people of the development login, who need no password.
 *
 * @module
 */

import type { Person } from "./grants.ts";

/** Everybody who can log in on a developer's machine. */
export const PEOPLE: readonly Person[] = [
  person("alice", "Alice", "admin"),
  person("bob", "Bob", "editor"),
  person("carol", "Carol", "viewer"),
];

function person(subject: string, name: string, role: string): Person {
  return {
    subject,
    username: `${subject}@example.com`,
    email: `${subject}@example.com`,
    name,
    roles: [role],
  };
}
