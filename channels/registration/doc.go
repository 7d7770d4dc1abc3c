// Package registration answers whether somebody can be reached on Digital Post or NemSMS, without asking the far end
// twice for what it has just said.
//
// The job, in the order it happens:
//
//  1. [Registry.Registered] turns service and identifier into a keyed hash. Nothing else of the identifier outlives the
//     call, and nothing is written to disk.
//  2. An answer that is still young enough is given at once, unless the caller wants a fresh one.
//  3. Otherwise PostForespoerg is asked, once for all who want to know the same at the same time. A caller who leaves
//     does not fail the others; when the last one leaves, the question is called off.
//  4. The answer is kept for a set time. An error is told to those who waited and kept for nobody: a technical error is
//     never "not registered".
//
// [Registry.Wash] does the same for a list of any length, several at a time, and gives the answers in the order of the
// list.
//
// Registration for Digital Post and for NemSMS are two different things: who is exempt from Digital Post may still have
// NemSMS. And an answer is only true when it is given: between the question and the delivery a recipient may become
// exempt, so a rejected letter must still be able to start the next channel of its route. [src: NEMSMS-FAQ]
package registration
