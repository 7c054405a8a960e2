// Written by hand after the contract; ts-rs will write this file.
import type { Part } from "./Part";
import type { Person } from "./Person";

export type Version = { at: number, by: Person | null, title: string, body: string, parts: Array<Part>, };
