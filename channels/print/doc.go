// Package print adapts SF1601's Fysisk Post to gateway.Channel: letters that Fjernprint prints, puts into an envelope and
// hands to the post.
//
// The job, in the order it happens:
//
//  1. [Channel.Check] demands a print profile of the sender and an address that fits ForsendelseI, makes the PDF when the
//     intent has none (package letterpdf), or looks through the producer's PDFs (package preflight). Everything that
//     would be refused later is told here, with pointers into the producer's request and the numbers of the pages.
//  2. [Channel.Send] builds the ForsendelseI with the AfsendelseID that was minted when the intent was accepted and calls
//     KombiPostAfsend. A PDF is made again from the same intent and is the same to the byte, so every attempt sends the
//     same letter.
//  3. The answer becomes an outcome as Digital Post's does (digitalpost.Answer).
//  4. A status from Beskedfordeler becomes a gateway.Receipt in [Receipts], which also knows return mail.
//
// How an intent's fields land in ForsendelseI: the first document, or the PDF made of title, text and actions, is
// MeddelelseIndholdData; more documents are Bilag in their order; title is TitelTekst; name and address are
// ForsendelseModtager, in form A where the schema takes it. A CPR number never travels here: ten zeros stand for it.
package print
