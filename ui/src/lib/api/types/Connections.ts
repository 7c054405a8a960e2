// Written by hand after the contract; ts-rs will write this file.
import type { Mine } from "./Mine";
import type { Person } from "./Person";
import type { PersonReach } from "./PersonReach";

export type Connections = { discovering: boolean, near: Array<Person>, people: Array<PersonReach>, mine: Mine, needsUpdate: boolean, };
