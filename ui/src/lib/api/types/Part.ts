// Written by hand after the contract; ts-rs will write this file.
import type { PartWas } from "./PartWas";

export type Part = { text: string, was: PartWas, };
