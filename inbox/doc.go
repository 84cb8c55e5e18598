// Package inbox turns a person's own work mailbox into an inbox a team can share: connect, choose
// what may enter, share, import and sync, read, send. Service is the way in. The stores it needs are
// declared here, small and one per aggregate; packages below storage supply them.
//
// Decisions that shape the package:
//
//  1. What people edit (Inbox) and what the importer edits (SyncState) are two values with two
//     versions, else every minute's sync would make a person's settings save fail.
//  2. One write is a small set of aggregates with their versions and the events they cause, all or
//     nothing. Commit is one method because "messages stored, cursor not" and the reverse are the
//     two bugs that matter.
//  3. Every method that shows or changes a site's data takes the actor as its second parameter.
//     An actor without any access is told storage.ErrNotFound (R-ACL-07). Methods without an actor
//     are the engine's own and say so.
//  4. The cursor moves past a message only when it is stored, rejected, gone, or in the durable
//     retry queue of the same commit. The ledger of every run balances (Run.Balance).
//     Who pauses, disconnects or deletes an inbox or changes its rules moves the version of the sync
//     state on, so that a sync under way stores nothing more.
//  5. Rejected mail leaves nothing but opaque ids, a time, one bit, a reason and the rule version.
//  6. Events hold ids and codes, never content. Content is added when a notice is delivered, for
//     each receiver, under what that receiver may see at that moment (R-FEA-08).
package inbox
