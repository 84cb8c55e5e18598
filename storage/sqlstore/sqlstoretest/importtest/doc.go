// Package importtest is a host in one folder for tests of whole imports: Open wires the service to
// SQLite and blobs on disk, WriteMail generates mail, and Main, Run and Kill run imports in child
// processes that die in the middle of their work. Its own tests import from an mbox.
//
// It links the driver of SQLite alone and no client of a mail service, so that a child's memory
// (Report.PeakRSS) is what an import takes. WORKINBOX_CRASH_ROUNDS, WORKINBOX_CRASH_SEED and
// WORKINBOX_BENCH_MESSAGES make its tests longer; see there.
package importtest
