// Package automatic adapts SF1601's "Automatisk Valg" to gateway.Channel: Postkomponenten decides whether a letter
// becomes Digital Post or is printed, and gets both in one kombi_request.
//
// The job, in the order it happens:
//
//  1. [Channel.Check] demands everything that either road demands, because nobody here knows which one will be taken.
//  2. [Channel.Send] builds the MeMo as channel digitalpost does and the ForsendelseI as channel print does, each with
//     the identity that was minted when the intent was accepted, and calls KombiPostAfsend with both. No registration is
//     asked: that question is Postkomponenten's here.
//  3. The answer means what it means for Digital Post, digitalpost.Answer.
//  4. Statuses come from either road, matched by MessageUUID or AfsendelseIdentifikator; digitalpost.Receipt reads both.
//
// By which rule Postkomponenten chooses is not published (docs/divergences.md). Who wants to decide themselves, and to
// see which road was taken when, has a route of two channels instead: ["digitalpost", "print"].
package automatic
