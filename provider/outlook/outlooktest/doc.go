// Package outlooktest is an HTTP server that behaves like the part of Microsoft Graph that serves
// mail, for the tests of the library and of its hosts: consent and tokens of the Microsoft identity
// platform, folders, messages and delta queries with their limits, refusals and faults, drafts,
// upload sessions, batches and subscriptions.
//
//	s := outlooktest.New(t, outlooktest.Config{})
//	a := s.Account("ann@example.com")
//	a.Deliver(raw, outlooktest.Delivery{})
//	... outlook.Options{ClientID: outlooktest.ClientID, ..., HTTP: s.Client()} and s.Endpoints()
//
// What it promises:
//
//  1. A Server holds Accounts. What a test does to an Account happened in Outlook by other hands:
//     Deliver, Move, MarkRead, Delete. What the application does, it does over HTTP.
//  2. It is strict where Microsoft is: PKCE, redirect address, scopes, filters, opaque links.
//  3. Names and JSON types of properties are those of Graph v1.0; the shapes are those of recorded
//     answers (see testdata).
//  4. Time is Config.Now alone, and with Config.Pipe nothing leaves the process: in a
//     testing/synctest bubble a day of limits passes in an instant.
//  5. What is not documented but was observed, such as a move that loses the destination's record,
//     is a field of Config whose comment says so.
//
// Calls go by these names in Stats, Fault and Config.Latency: user.get; folders.list, folders.get,
// folders.children, folders.delta, folders.create, folders.update, folders.delete; messages.list,
// messages.count, messages.get, messages.value ($value), messages.delta, messages.update,
// messages.delete, messages.permanentDelete, messages.move, messages.reply, messages.replyAll,
// messages.forward; drafts.create, drafts.createReply, drafts.createReplyAll, drafts.createForward,
// drafts.send; sendMail; attachments.list, attachments.get, attachments.value, attachments.create,
// attachments.delete, attachments.createUploadSession; subscriptions.create, subscriptions.list,
// subscriptions.get, subscriptions.update, subscriptions.delete, subscriptions.reauthorize; and beside
// the API token, authorize, adminconsent, batch and uploadSession.put.
//
// Everything is safe for concurrent use. Tokens and secrets are the server's own inventions, so
// nothing hides them.
package outlooktest
