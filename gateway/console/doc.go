// Package console is what operators look at, and where they decide: a start page, what waits for a person, and the dashboard of
// the queues.
//
// The job of a request, in the order it happens:
//
//  1. Headers forbid the browser to load anything from another host, to be framed, and to keep a copy.
//  2. A form that another site sent is refused; a body is a small form and nothing else.
//  3. The session's cookie says who it is ([access.Sessions]); whoever has none is sent to /console/login. The route says what
//     permission it needs ([Console.Routes]), the operator's roles say whether they have it.
//  4. /console/statuses is made of what the gateway says of messages and statuses, without a word about a recipient,
//     /console/inbound in the same way of inbound post; /console/queues/ is asynqmon, read-only.
//  5. Where something waits for a person, a card (decide) has one form for each decision. A form holds a token that is good for
//     this session, this decision on this thing, and one time. Who decided what and why is written down, then it is done, then
//     the browser is sent to a page, so that reloading that page does nothing again.
//  6. A letter, a status as it came, or inbound post is given as a file, to those who may read letters, after it is written
//     down who reads it.
//
// asynqmon's page loads two style sheets with their fonts from Google. They are replaced here by ours, so that icons are
// icons without internet and no other host learns of the visit. Its source maps (5 MB) are not served. Task payloads and
// results are shown only as far as they are message ids.
package console
