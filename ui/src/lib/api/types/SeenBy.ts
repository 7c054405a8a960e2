// Written by hand after the contract; ts-rs will write this file.
import type { Person } from "./Person";

export type SeenBy = { have: number, of: number, missing: Array<Person>, };
