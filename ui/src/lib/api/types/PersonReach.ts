// Written by hand after the contract; ts-rs will write this file.
import type { Contact } from "./Contact";
import type { Person } from "./Person";

export type PersonReach = { person: Person, hasAll: boolean, asOf: number | null, contact: Contact | null, };
