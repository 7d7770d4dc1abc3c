// Package httpapi is the door that producers knock on: the HTTP API of the gateway, and a client for it.
//
// The job of one request, in the order it happens:
//
//  1. [New] builds the routes from one table. A route says which scope it needs and who answers; methods and paths that
//     are not in the table are answered with 405 and 404.
//  2. The middleware gives the request an id, bounds its time, counts it, and turns a panic into a 500.
//  3. The bearer token is compared with every configured hash in constant time; it names the [Producer].
//  4. The body is read with a limit and a least rate, and decoded strictly: unknown and repeated members are refused.
//  5. What can be wrong with a value rather than with the JSON (a CPR number of nine digits, a time without zone) is put
//     into the draft, so that Gateway.Accept answers all problems together.
//  6. A handler returns an answer or an error. One renderer turns errors into RFC 9457 problem+json; an error that it
//     does not know is a 500 that says nothing about the cause.
//
// A list (a batch of intents, identifiers to look up) is read line by line and answered line by line at the same time, in
// its order, by several workers and in bounded memory; answers wait for a client that sends all before it reads, up to a
// limit.
//
// Inbound post ([InboundAPI]) is not a producer's by who posted it but by what it answers and where it goes; a post that the
// caller may not see is one that is not there. Its files are sent as attachments that no browser shows.
//
// [API] is implemented twice: by the server behind the routes and by [Client]. The document at /openapi.json describes
// the same interface for everybody else; a test holds every request and answer of the test suite against it.
//
// Nothing personal is written to the log: neither bodies, nor queries, nor tokens, nor the paths that were asked for,
// only the pattern of the route.
package httpapi
