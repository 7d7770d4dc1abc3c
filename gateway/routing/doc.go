// Package routing decides which of an authority's systems gets a received message: the distribution rules of routes.yaml.
// Everything in it is a pure function of the file and the [Facts] of a message; it opens no connection and reads no clock.
//
// The job, in the order it happens:
//
//  1. [Load] reads the file with the lists it names, or [Parse] takes its bytes. What is wrong is listed whole, each with
//     line, column and a hint ([Problems]).
//  2. [Rules.Check] says what is allowed and yet not meant: rules that no message reaches, rules that both want a
//     message, targets that nothing leads to.
//  3. For every message, [FactsOf] takes out what rules look at; whether it answers a message of ours is told by the
//     journal and comes in as a [Correlation].
//  4. [Rules.Match] gives the one target, and what takes over when that target refuses. [Rules.Explain] gives the reasons
//     too, for `brevdue routes test` and for a person who asks why.
//
// # How rules match
//
// The first rule whose conditions all hold takes the message. Within a condition a list means any of it. A message that
// no rule takes goes to the default, without which no file is accepted. Exactly one target gets a message; spreading it
// further is that system's own work. [src: SF1606]
//
// Words are compared without regard to upper and lower case and to spaces around them; UUIDs are thereby compared as MeMo
// wants. Keys with dots (kle, form, contact_group) are prefixes: 27 and 27.03 take the whole branch, 27. takes what is
// below 27, as written.
//
// Identifiers of persons never stand in the rules: sender_list and cpr_list name files. Their lines are kept in memory as
// hashes under a key of the process only.
package routing
