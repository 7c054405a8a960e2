// Written by hand after the contract; ts-rs will write this file.
import type { Person } from "./Person";
import type { PersonReach } from "./PersonReach";
import type { Role } from "./Role";

export type PersonCard = { person: Person, role: Role, devices: number, me: boolean, reach: PersonReach, };
