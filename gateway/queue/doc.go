// Package queue is the muscle of the gateway: it brings message ids to workers, through asynq on Redis.
//
// The job, in the order it happens:
//
//  1. [Open] connects to a Redis server, or starts one in this process for "embedded" (a demo, tests, a first look).
//  2. [Queue.Enqueue] hands a message id over. A task carries that id and nothing else, so neither Redis nor its dashboard
//     ever holds personal data. The task's own id is the message id: enqueuing twice is the same as once.
//  3. [Queue.Run] starts one asynq server per channel and priority, so that an empty queue costs the others nothing, and
//     calls the [Dispatcher] for each task. A channel has a number of letters in flight, which its priorities share.
//  4. A *gateway.Later from the dispatcher brings the task back at its time; only a counted one is a failure in the
//     dashboard. How often and how long is the gateway's decision: asynq's own limit on retries is out of reach.
//
// The journal is the truth. Everything here may be lost at any moment: [Queue.Forgot] notices a Redis that was emptied or
// replaced by the absence of a marker key for each queue, and [Queue.Ensure] sets aside what would keep a lost message from coming back
// (an archived task, or an active one whose worker is dead: asynq itself needs one to two minutes for that).
//
// asynq truncates delays to whole seconds, up to a second early; this package rounds up instead.
package queue
