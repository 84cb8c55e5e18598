// Package inboxmock has mocks of the seams a host implements: Notifier, Provider and Mailbox. They
// are for tests in which an exact call must fail at an exact moment; for everything else there are
// provider/fake and storage/memory, which behave.
package inboxmock

//go:generate go run go.uber.org/mock/mockgen@v0.6.0 -package inboxmock -typed -destination notifier.go github.com/workinbox/workinbox/inbox Notifier
//go:generate go run go.uber.org/mock/mockgen@v0.6.0 -package inboxmock -typed -destination mailbox.go github.com/workinbox/workinbox/provider Provider,Mailbox
