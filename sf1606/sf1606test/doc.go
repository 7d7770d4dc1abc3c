// Package sf1606test plays the far ends of package sf1606: the Postkomponent that sends post to PostModtag ([Sender]), and
// the part of Digital Post that is pulled from ([NgDP]). It serves tests, brevdue sim and brevdue demo.
//
// The job, in the order it happens:
//
//  1. [Letters] makes real-looking inbound post: new, forwarded, and replies to a given message, from 1.5 KB to 99.5 MB.
//     File contents are made while they are sent and cost no memory.
//  2. [Sender.Send] posts one over mutual TLS and reads the receipt strictly: a positive one has no errorCode. What gets no
//     receipt is sent again, as the real one does until it deactivates a system that fails for seven days.
//  3. [Sender.Storm] does so at a rate, with a concurrency and up to a total, with shares of duplicates, cut uploads and
//     spoilt messages, and keeps book of every messageUUID: accepted, refused, or never answered.
//  4. [StartNgDP] serves memos/, memos/{id}, its receipt and DELETE, strict by default, with faults on demand.
//  5. [SinkSuite] tests a sink; [Box] is one in memory that keeps count, for tests of what stands before a real one.
//
// Admin gives a simulator's admin port POST /inbound and GET /inbound. [Citizen] answers letters that the authority sent.
//
// How the real ones pause, retry and page is not published; those are settings with our defaults (docs/divergences.md).
// [src: SF1606; NGDP-OPENAPI memos; NGDP-RESEND]
package sf1606test
