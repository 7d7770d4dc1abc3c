// Package console is what operators look at: a start page, and the dashboard of the queues.
//
// The job of a request, in the order it happens:
//
//  1. Only GET and HEAD are let in: nothing can be changed from here.
//  2. HTTP Basic names an [Operator]; the password's hash is compared with every configured one in constant time.
//  3. Headers forbid the browser to load anything from another host.
//  4. /console/ is a page of ours; /console/assets/ has fonts and style sheets from the binary; /console/statuses is made of
//     what the gateway says of statuses, without a word about a recipient, /console/inbound in the same way of inbound post;
//     /console/queues/ is asynqmon, read-only.
//
// asynqmon's page loads two style sheets with their fonts from Google. They are replaced here by ours, so that icons are
// icons without internet and no other host learns of the visit. Its source maps (5 MB) are not served. Task payloads and
// results are shown only as far as they are message ids.
package console
