// Package window says when a channel may send: not in the night, not on a Sunday, not on a public holiday. Everything
// in it is a pure function of its arguments: the moment asked about is one of them, no clock is read.
//
// The job, in the order it happens:
//
//  1. [Parse] turns a [Spec], one entry of "windows" in the configuration, into a [Window], or names the field that is
//     wrong.
//  2. Before an attempt, the gateway asks [Window.Opens]: now itself means send, a later moment means wait until then.
//     [Window.Closes] tells how long an open window stays open.
//
// # What counts
//
// The wall clock of the window's zone decides, because that is the clock the citizen looks at. A window from 09:00 to
// 22:00 is open at 09:00:00 sharp and no longer at 22:00:00 sharp.
//
// A window whose end comes before its start runs over midnight and belongs to the day on which it starts: with
// 22:00-06:00 on fri, Saturday 05:59 is open and Friday 05:59 is not. The same goes for holidays: a night that starts
// on an ordinary day runs on into the holiday, a night that starts on a holiday is skipped whole.
//
// With [NextDay] an opening that a holiday takes away is made up for on the next date that is no holiday, be it a Saturday
// or a Sunday: of mon to fri, Friday 25 December opens on Sunday the 27th, and skærtorsdag and langfredag together open on
// the Saturday of Easter. For who has to have heard by then, a day that is not usual is better than a day too late; where
// it is not, [Skip] waits for the next of the usual days.
//
// When clocks are put forward, a time that does not exist (02:30) counts as the moment of the change: from 02:30 opens at
// 03:00, to 02:30 closes there, and 02:10-02:50 does not open that day. When clocks are put back, a time that exists
// twice counts both times: 02:10-02:50 opens twice, and 01:00-02:30 closes for the half hour between its two ends.
package window
