// Written by hand after the contract; ts-rs will write this file.
import type { Person } from "./Person";

export type CommentCard = { id: string, author: Person, text: string, at: number, mine: boolean, new: boolean, };
